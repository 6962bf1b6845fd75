"""Exceptions of user functions, as the client sees them."""

import pytest
from leat.common.errors import JobError
from leat.datastream.functions import KeyedProcessFunction, MapFunction, ProcessFunction


def failure(results, stream):
    with pytest.raises(JobError) as error:
        results(stream)
    return error.value


def test_failure_has_the_original_exception_and_its_traceback(env, results):
    def odd(x):
        raise ValueError(f"odd {x}")

    error = failure(results, env.from_collection([3]).map(odd).name("Oddly"))
    assert "Oddly (1/1)" in str(error)
    assert "ValueError: odd 3" in str(error)
    assert type(error.__cause__) is ValueError
    assert error.__cause__.args == ("odd 3",)
    remote = str(error.__cause__.__cause__)
    assert "in odd" in remote
    assert "leat/datastream" not in remote


def test_failure_in_a_generator(env, results):
    def broken(x):
        yield x
        raise KeyError("k")

    error = failure(results, env.from_collection([3]).flat_map(broken))
    assert type(error.__cause__) is KeyError


def test_failure_whose_constructor_takes_something_else_arrives_as_it_was(env, results):
    class Odd(LookupError):
        def __init__(self, a, b):
            super().__init__(f"{a} and {b}")
            self.a, self.b = a, b

    def raises(x):
        raise Odd(1, 2)

    cause = failure(results, env.from_collection([3]).map(raises)).__cause__
    assert type(cause) is Odd
    assert (cause.args, cause.a, cause.b) == (("1 and 2",), 1, 2)


def test_failure_of_a_function_without_frames_is_told_once(env, results):
    error = failure(results, env.from_collection(["x"]).map(int))
    assert type(error.__cause__) is ValueError
    assert error.__cause__.__cause__ is None


def test_failure_that_cannot_be_read_back_has_a_stand_in(env, results):
    class Odd(LookupError):
        def __init__(self, a, b):
            super().__init__(f"{a} and {b}")
            self.unfinished = (x for x in "ab")

    def raises(x):
        raise Odd(1, 2)

    error = failure(results, env.from_collection([3]).map(raises))
    assert isinstance(error.__cause__, LookupError)
    assert "Odd: 1 and 2" in str(error.__cause__)


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, GeneratorExit])
def test_failure_of_any_kind_is_a_users_error(env, results, kind):
    def leave(x):
        raise kind(3)

    error = failure(results, env.from_collection([3]).map(leave))
    assert type(error.__cause__) is kind


@pytest.mark.parametrize("result", [None, 5])
def test_flat_map_without_iterable_names_the_operator(env, results, result):
    error = failure(results, env.from_collection([3]).flat_map(lambda x: result).name("Words"))
    assert isinstance(error.__cause__, TypeError)
    assert "Words: the function returned" in str(error)


def test_type_mismatch_names_operator_and_place(env, results):
    from leat.common import Types

    types = Types.TUPLE([Types.STRING(), Types.INT()])
    error = failure(results, env.from_collection(["a"]).map(lambda x: (x, x), types))
    assert "expected INT, got str 'a' at field 1 of TUPLE<STRING,INT>" in str(error)
    assert "Map (1/1)" in str(error)


def test_adding_what_cannot_be_added_is_told(env, results):
    error = failure(results, env.from_collection([1, "a"]).key_by(lambda x: 0).sum())
    assert isinstance(error.__cause__, TypeError)
    assert "unsupported operand" in str(error)


def test_key_that_cannot_be_a_key_is_told(env, results):
    stream = env.from_collection([1]).key_by(lambda x: len).reduce(lambda a, b: a)
    assert "can't be a key" in str(failure(results, stream))


def test_open_fails(env, results):
    class BadOpen(MapFunction):
        def open(self, runtime_context):
            raise RuntimeError("no door")

        def map(self, value):
            return value

    assert "no door" in str(failure(results, env.from_collection([1]).map(BadOpen())))


def test_timers_are_refused_clearly(env, results):
    class Plain(ProcessFunction):
        def process_element(self, value, ctx):
            ctx.timer_service().register_event_time_timer(1)

    class Deleting(ProcessFunction):
        def process_element(self, value, ctx):
            ctx.timer_service().delete_event_time_timer(1)

    class Keyed(KeyedProcessFunction):
        def process_element(self, value, ctx):
            ctx.timer_service().register_event_time_timer(value)

    plain = failure(results, env.from_collection([1]).process(Plain()))
    assert "Register timers is only supported on a keyed stream." in str(plain)
    plain = failure(results, env.from_collection([1]).process(Deleting()))
    assert "Deleting timers is only supported on a keyed streams." in str(plain)
    for wrong in (2**63, "1", 1.5):
        keyed = env.from_collection([wrong]).key_by(lambda x: 0).process(Keyed())
        assert type(failure(results, keyed).__cause__) in {OverflowError, TypeError}


@pytest.mark.quick
@pytest.mark.parametrize(
    ("arguments", "kind", "text"),
    [
        (("what", [], {}, "", None, 0), ValueError, "there is no operator what"),
        (("map", [7], {}, "", None, 0), ValueError, "there is no stream 7"),
        (("sequence", [], {"frist": 1}, "", None, 0), ValueError, "has no parameter 'frist'"),
        (("sequence", [], {"first": "1"}, "", None, 0), TypeError, "first must be an int, not str"),
        (("sequence", [], {"first": 1}, "", "WHAT", 0), (TypeError, ValueError), "WHAT"),
    ],
)
def test_add_wrong_argument_is_told_at_once(arguments, kind, text):
    from leat import _leat

    with pytest.raises(kind, match=text):
        _leat.Env({}).add(*arguments)


@pytest.mark.quick
def test_env_unknown_key_names_the_nearest():
    from leat import _leat

    with pytest.raises(ValueError, match=r"python\.execution-mode"):
        _leat.Env({"python.execution-mod": "thread"})
