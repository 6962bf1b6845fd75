"""What streams in windows build."""

import pytest
from leat.common import Time, Types
from leat.datastream import OutputTag
from leat.datastream.functions import (
    AggregateFunction,
    AllWindowFunction,
    ProcessAllWindowFunction,
    ProcessWindowFunction,
    ReduceFunction,
    WindowFunction,
)
from leat.datastream.window import (
    CountEvictor,
    CountTrigger,
    EventTimeSessionWindows,
    MergingWindowAssigner,
    PurgingTrigger,
    Trigger,
    TriggerResult,
    TumblingEventTimeWindows,
    WindowAssigner,
)

CONTINUE = TriggerResult.CONTINUE


def ms(count):
    return Time.milliseconds(count)


class Reduce(ReduceFunction):
    def reduce(self, value1, value2):
        return value1


class Aggregate(AggregateFunction):
    def create_accumulator(self):
        return 0

    def add(self, value, accumulator):
        return accumulator + 1

    def get_result(self, accumulator):
        return accumulator

    def merge(self, acc_a, acc_b):
        return acc_a + acc_b


class Apply(WindowFunction):
    def apply(self, key, window, inputs):
        return inputs


class ApplyAll(AllWindowFunction):
    def apply(self, window, inputs):
        return inputs


class Process(ProcessWindowFunction):
    def process(self, key, context, elements):
        return elements


class ProcessAll(ProcessAllWindowFunction):
    def process(self, context, elements):
        return elements


class NotMerging(Trigger):
    def on_element(self, element, timestamp, window, ctx):
        return CONTINUE

    def on_processing_time(self, time, window, ctx):
        return CONTINUE

    def on_event_time(self, time, window, ctx):
        return CONTINUE

    def on_merge(self, window, ctx):
        pass

    def clear(self, window, ctx):
        pass


PAIR = Types.TUPLE([Types.STRING(), Types.LONG()])


@pytest.fixture
def pairs(env):
    return env.from_collection([("a", 1)], PAIR)


@pytest.fixture
def windowed(pairs):
    return lambda: pairs.key_by(lambda p: p[0]).window(TumblingEventTimeWindows.of(ms(5)))


@pytest.fixture
def all_windowed(pairs):
    return lambda: pairs.window_all(TumblingEventTimeWindows.of(ms(5)))


def built(stream):
    return stream._node.engine.streams[stream._node.handle]


def test_built_in_parts_are_named(windowed):
    operator, _, params, name, type_text, parallelism = built(windowed().sum(1))
    assert (operator, name, parallelism) == ("window", "TumblingEventTimeWindows", 0)
    assert params["assigner"][:2] == ("leat", b"tumbling_event_time 5 0")
    assert params["reduce"][:2] == ("leat", b"sum 1")
    assert "trigger" not in params and type_text == PAIR._text()


def test_settings_are_passed_on(windowed):
    stream = windowed().trigger(PurgingTrigger.of(CountTrigger.of(2))).evictor(CountEvictor.of(3))
    stream = stream.allowed_lateness(7).side_output_late_data(OutputTag("late"))
    params = built(stream.apply(Apply()))[2]
    assert params["trigger"][1] == b"count 2" and params["purging"] == 1
    assert params["evictor"][1] == b"count 3 0"
    assert (params["lateness"], params["late_tag"]) == (7, "late")
    assert params["window"][0] == "python"


def test_types_and_names(windowed, all_windowed):
    assert windowed().reduce(Reduce()).get_type() == PAIR
    assert windowed().reduce(Reduce(), Apply()).get_type() == Types.PICKLED_BYTE_ARRAY()
    assert windowed().aggregate(Aggregate()).get_type() == Types.PICKLED_BYTE_ARRAY()
    assert windowed().aggregate(Aggregate(), output_type=Types.LONG()).get_type() == Types.LONG()
    assert windowed().count().get_type() == Types.LONG()
    assert windowed().max_by(1).get_type() == PAIR
    assert windowed().get_input_type() == PAIR
    assert windowed().apply(Apply()).get_name() == "TumblingEventTimeWindows"
    stream = all_windowed().process(ProcessAll())
    assert built(stream)[5] == 1
    options = dict(o[1:] for o in stream._node.engine.options if o[0] == stream._node.handle)
    assert options["description"] == (
        "AllWindow(TumblingEventTimeWindows(5, 0), EventTimeTrigger, ProcessAll)"
    )


@pytest.mark.parametrize("keyword", ["output_type", "result_type", "type_info"])
def test_old_names_of_the_type(windowed, all_windowed, keyword):
    types = {keyword: Types.LONG()}
    for made in (
        windowed().apply(Apply(), **types),
        windowed().process(Process(), **types),
        windowed().reduce(Reduce(), Apply(), **types),
        windowed().aggregate(Aggregate(), **types),
        all_windowed().apply(ApplyAll(), **types),
    ):
        assert made.get_type() == Types.LONG()


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda w: w.reduce(1), "The input must be a ReduceFunction or a callable function!"),
        (
            lambda w: w.reduce(Reduce(), 1),
            "window_function should be a WindowFunction or ProcessWindowFunction",
        ),
        (
            lambda w: w.reduce(Reduce(), ApplyAll()),
            "window_function should be a WindowFunction or ProcessWindowFunction",
        ),
        (
            lambda w: w.aggregate(lambda a: a),
            "The input must be a pyflink.datastream.functions.AggregateFunction!",
        ),
        (
            lambda w: w.aggregate(Aggregate(), len),
            "window_function should be a WindowFunction or ProcessWindowFunction",
        ),
        (lambda w: w.apply(1), "must be a WindowFunction or a callable"),
        (lambda w: w.apply(Process()), "must be a WindowFunction or a callable"),
        (lambda w: w.apply(Apply), "Apply is a class; give an instance"),
        (lambda w: w.process(Apply()), "must be a ProcessWindowFunction"),
        (lambda w: w.trigger(1), "needs a Trigger"),
        (lambda w: w.evictor(1), "needs an Evictor"),
        (lambda w: w.allowed_lateness("a"), "milliseconds as an int"),
        (lambda w: w.allowed_lateness(-1), "cannot be negative"),
        (lambda w: w.side_output_late_data("late"), "needs an OutputTag"),
        (lambda w: w.sum(1.5), "must be of int or str type"),
        (lambda w: w.min(-1), "must not be negative"),
        (lambda w: w.apply(Apply(), 1), "output_type"),
    ],
)
def test_wrong_arguments(windowed, build, message):
    with pytest.raises((TypeError, ValueError), match=message):
        build(windowed())


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda w: w.reduce(1), "The input must be a ReduceFunction or a callable function!"),
        (
            lambda w: w.reduce(Reduce(), Apply()),
            "window_function should be a AllWindowFunction or ProcessAllWindowFunction",
        ),
        (
            lambda w: w.aggregate(Aggregate(), Process()),
            "window_function should be a AllWindowFunction or ProcessAllWindowFunction",
        ),
        (lambda w: w.process(Process()), "must be a ProcessAllWindowFunction"),
    ],
)
def test_wrong_arguments_of_all(all_windowed, build, message):
    with pytest.raises(TypeError, match=message):
        build(all_windowed())


def test_merging_needs_a_trigger_that_merges(pairs):
    sessions = EventTimeSessionWindows.with_gap(ms(5))
    for stream in (pairs.window_all(sessions), pairs.key_by(len).window(sessions)):
        with pytest.raises(TypeError, match="cannot be used with a trigger that does not support"):
            stream.trigger(NotMerging())

    class Mine(EventTimeSessionWindows):
        def get_default_trigger(self, env):
            return NotMerging()

    with pytest.raises(TypeError, match="cannot be used with a trigger that does not support"):
        pairs.key_by(len).window(Mine(5)).sum()


def test_what_is_no_assigner(pairs):
    for build in (lambda: pairs.key_by(len).window(5), lambda: pairs.window_all(None)):
        with pytest.raises(TypeError, match="a WindowAssigner is needed"):
            build()
    with pytest.raises(ValueError, match="at least 1"):
        pairs.key_by(len).count_window(0)


def test_an_assigner_without_a_trigger(pairs):
    class Mine(TumblingEventTimeWindows):
        def get_default_trigger(self, env):
            return None

    with pytest.raises(TypeError, match="returned None; a Trigger is needed"):
        pairs.key_by(len).window(Mine(5, 0)).sum()


def test_what_cannot_be_serialised_is_named(windowed):
    class Stuck(WindowFunction):
        def __init__(self):
            self.lock = __import__("threading").Lock()

        def apply(self, key, window, inputs):
            return inputs

    with pytest.raises(TypeError, match=r"Stuck.*attribute 'lock'"):
        windowed().apply(Stuck())


def test_classes_that_must_be_completed():
    for base in (WindowAssigner, MergingWindowAssigner, Trigger, Apply.__base__):
        with pytest.raises(TypeError, match="abstract"):
            base()
