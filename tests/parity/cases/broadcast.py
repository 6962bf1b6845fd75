"""Broadcast state: both functions, keyed or not, state of several names, and what is refused."""

from parity_case import Family
from pyflink.common import Types
from pyflink.datastream import BroadcastProcessFunction, KeyedBroadcastProcessFunction
from pyflink.datastream.state import (
    MapStateDescriptor,
    ReducingStateDescriptor,
    ValueStateDescriptor,
)

family = Family()
case, each = family.case, family.each

RULES = MapStateDescriptor("rules", Types.STRING(), Types.INT())
OTHERS = MapStateDescriptor("others", Types.STRING(), Types.STRING())


def rules(env, *descriptors):
    stream = env.from_collection([("a", 1), ("b", 2), ("a", 3)])
    return stream.broadcast(*(descriptors or (RULES,)))


VALUES = ["a", "b", "c", "a"]


class Looks(BroadcastProcessFunction):
    """Looks values up once all three rules are there: nothing says which input comes first."""

    def open(self, runtime_context):
        self.rules = 0
        self.waiting = []

    def process_element(self, value, ctx):
        if self.rules < 3:
            self.waiting.append(value)
        else:
            yield value, ctx.get_broadcast_state(RULES).get(value)

    def process_broadcast_element(self, value, ctx):
        state = ctx.get_broadcast_state(RULES)
        state.put(*value)
        yield "rule", value
        self.rules += 1
        if self.rules == 3:
            for waiting in self.waiting:
                yield waiting, state.get(waiting)


class LooksKeyed(KeyedBroadcastProcessFunction):
    """Counts the values of a key; a timer, at the end of both inputs, looks the key up."""

    def __init__(self):
        self.count = None

    def open(self, c):
        self.count = c.get_state(ValueStateDescriptor("count", Types.INT()))

    def process_element(self, value, ctx):
        self.count.update((self.count.value() or 0) + 1)
        ctx.timer_service().register_event_time_timer(5)
        yield value, self.count.value()

    def process_broadcast_element(self, value, ctx):
        ctx.get_broadcast_state(RULES).put(*value)

    def on_timer(self, timestamp, ctx):
        found = ctx.get_broadcast_state(RULES).get(ctx.get_current_key())
        yield "timer", timestamp, ctx.get_current_key(), found, self.count.value()


@case(parallelism=(1, 3))
def plain(env):
    return env.from_collection(VALUES).connect(rules(env)).process(Looks())


@case(parallelism=(1, 3))
def keyed(env):
    stream = env.from_collection(VALUES).key_by(lambda v: v)
    return stream.connect(rules(env)).process(LooksKeyed())


@case(batch=True)
def plain_in_batch(env):
    return env.from_collection(VALUES).connect(rules(env)).process(Looks())


@case(batch=True, parallelism=3)
def keyed_in_batch(env):
    stream = env.from_collection(VALUES).key_by(lambda v: v)
    return stream.connect(rules(env)).process(LooksKeyed())


def with_state(env, use):
    class Uses(BroadcastProcessFunction):
        def process_element(self, value, ctx):
            return []

        def process_broadcast_element(self, value, ctx):
            yield use(ctx.get_broadcast_state(RULES), value)

    return env.from_collection([1]).connect(rules(env)).process(Uses())


def put_all(s, v):
    s.put_all({"x": 1, "y": v[1]})
    s.remove("x")
    s.remove("never")
    return sorted(s.items()), sorted(s.keys()), sorted(s.values()), s.is_empty(), s.contains("y")


def items(s, v):
    before = s.is_empty(), list(s)
    s[v[0]] = v[1]
    found = v[0] in s, s[v[0]], sorted(s)
    if v[1] == 2:
        del s[v[0]]
    return before, found


def clear(s, v):
    s.put(*v)
    s.clear()
    return list(s.items())


USES = {
    "put_all": put_all,
    "items": items,
    "clear": clear,
    "missing": lambda s, v: (s.get("zz"), s.contains("zz")),
    "wrong_value": lambda s, v: s.put("a", "text"),
    "wrong_key": lambda s, v: s.put(1, 1),
    "none": lambda s, v: (s.put("a", None), s.get("a"), s.contains("a")),
}


@each(USES)
def state(env, use):
    return with_state(env, use)


@each(
    {
        "put": lambda s: s.put("a", 1),
        "clear": lambda s: s.clear(),
        "item": lambda s: s.__setitem__("a", 1),
        "reads": lambda s: (s.get("a"), s.contains("a"), s.is_empty(), list(s.items())),
    }
)
def read_only(env, use):
    class Uses(Looks):
        def process_element(self, value, ctx):
            yield use(ctx.get_broadcast_state(RULES))

    class Quiet(Uses):
        def process_broadcast_element(self, value, ctx):
            return []

    return env.from_collection(["a"]).connect(rules(env)).process(Quiet())


@case()
def two_states(env):
    class Two(BroadcastProcessFunction):
        def process_element(self, value, ctx):
            return []

        def process_broadcast_element(self, value, ctx):
            ctx.get_broadcast_state(RULES).put(*value)
            others = ctx.get_broadcast_state(OTHERS)
            others.put(value[0], str(value[1]))
            yield ctx.get_broadcast_state(RULES).get("a"), others.get(value[0])

    return env.from_collection(VALUES).connect(rules(env, RULES, OTHERS)).process(Two())


@case()
def state_of_another_name(env):
    class Asks(Looks):
        def process_broadcast_element(self, value, ctx):
            yield ctx.get_broadcast_state(OTHERS).get("a")

    return env.from_collection(["a"]).connect(rules(env)).process(Asks())


@case()
def contexts(env):
    class Asks(BroadcastProcessFunction):
        def process_element(self, value, ctx):
            yield "element", ctx.timestamp(), ctx.current_processing_time() > 10**12

        def process_broadcast_element(self, value, ctx):
            yield "rule", ctx.timestamp(), ctx.current_processing_time() > 10**12

    return env.from_collection([1]).connect(rules(env)).process(Asks())


@case()
def timers_on_the_broadcast_side(env):
    class Timer(Looks):
        def process_broadcast_element(self, value, ctx):
            ctx.timer_service().register_event_time_timer(5)
            yield value

    return env.from_collection(["a"]).connect(rules(env)).process(Timer())


@case()
def keyed_state_on_the_broadcast_side(env):
    class State(LooksKeyed):
        def process_broadcast_element(self, value, ctx):
            yield self.count.value()

    stream = env.from_collection(["a"]).key_by(lambda v: v)
    return stream.connect(rules(env)).process(State())


@case()
def keyed_function_on_plain(env):
    return env.from_collection(["a"]).connect(rules(env)).process(LooksKeyed())


@case()
def plain_function_on_keyed(env):
    stream = env.from_collection(["a"]).key_by(lambda v: v)
    return stream.connect(rules(env)).process(Looks())


@case()
def no_function(env):
    return env.from_collection(["a"]).connect(rules(env)).process(lambda v: v)


@each(
    {
        "value": ValueStateDescriptor("x", Types.INT()),
        "reducing": ReducingStateDescriptor("x", lambda a, b: a, Types.INT()),
        "string": "rules",
    }
)
def wrong_descriptor(env, descriptor):
    return env.from_collection(["a"]).connect(rules(env, descriptor)).process(Looks())


@case()
def output_type(env):
    from parity_case import Collected

    types = Types.TUPLE([Types.STRING(), Types.INT()])

    class Typed(Looks):
        def process_broadcast_element(self, value, ctx):
            yield value

    return Collected(env.from_collection([]).connect(rules(env)).process(Typed(), types))


@case()
def output_type_wrong(env):
    return env.from_collection(["a"]).connect(rules(env)).process(Looks(), 5)


@each({"element": "process_element", "broadcast": "process_broadcast_element"})
def raises(env, method):
    def bad(self, value, ctx):
        raise ValueError(f"in {method}")

    function = type("Raises", (Looks,), {method: bad})()
    return env.from_collection(["a"]).connect(rules(env)).process(function)
