"""The life of user functions: open and close, what they know, what they share, how they travel."""

from __future__ import annotations

import time
from pathlib import Path

import job_records
import pytest
from leat.common.errors import JobError
from leat.datastream import StreamExecutionEnvironment
from leat.datastream.functions import (
    FilterFunction,
    FlatMapFunction,
    KeyedProcessFunction,
    KeySelector,
    MapFunction,
    ProcessFunction,
    ReduceFunction,
    SinkFunction,
)


class Numbered(MapFunction):
    """Numbers what its subtask sees."""

    def __init__(self):
        self.opened = 0

    def open(self, runtime_context):
        self.opened += 1
        self.count = 0
        self.subtask = runtime_context.get_index_of_this_subtask()

    def map(self, value):
        self.count += 1
        return self.subtask, self.count, self.opened


@pytest.mark.quick
@pytest.mark.parametrize("parallelism", [2, 4])
def test_fields_belong_to_one_subtask(make_env, results, parallelism):
    function = Numbered()
    stream = make_env(parallelism).from_collection(range(10 * parallelism)).rebalance()
    found = results(stream.map(function))
    assert sorted(found) == [(s, n + 1, 1) for s in range(parallelism) for n in range(10)]
    assert function.opened == 0
    assert not hasattr(function, "count")


def test_one_object_in_two_operators_is_two(env, results):
    function = Numbered()
    stream = env.from_collection([5, 6])
    both = stream.map(function).union(stream.map(function))
    assert sorted(results(both)) == [(0, 1, 1), (0, 1, 1), (0, 2, 1), (0, 2, 1)]


class Telling(MapFunction):
    def open(self, runtime_context):
        c = runtime_context
        self.told = {
            "name": c.get_task_name(),
            "with": c.get_task_name_with_subtasks(),
            "index": c.get_index_of_this_subtask(),
            "parallelism": c.get_number_of_parallel_subtasks(),
            "max": c.get_max_number_of_parallel_subtasks(),
            "attempt": c.get_attempt_number(),
            "colour": c.get_job_parameter("colour", "none"),
            "it's": c.get_job_parameter("it's, a: key", "none"),
            "other": c.get_job_parameter("other", "default"),
        }

    def map(self, value):
        return self.told


def test_runtime_context(make_env, results):
    env = make_env(2)
    env.get_config().set_global_job_parameters({"colour": "red", "it's, a: key": "va'l, u:e"})
    env.set_max_parallelism(64)
    stream = env.from_collection([1, 2]).rebalance().map(Telling()).name("Teller")
    expected = {
        "name": "Teller",
        "parallelism": 2,
        "max": 64,
        "attempt": 0,
        "colour": "red",
        "it's": "va'l, u:e",
        "other": "default",
    }
    found = sorted(results(stream), key=lambda told: told["index"])
    assert found == [{**expected, "index": i, "with": f"Teller ({i + 1}/2)"} for i in range(2)]


class Noting:
    """Writes down what is called, one line per call."""

    def __init__(self, path):
        self.path = path

    def note(self, what):
        with Path(self.path).open("a") as file:
            file.write(f"{type(self).__name__}.{what}\n")

    def open(self, runtime_context):
        self.note("open")

    def close(self):
        self.note("close")


class NotingMap(Noting, MapFunction):
    def map(self, value):
        return value


class NotingFlatMap(Noting, FlatMapFunction):
    def flat_map(self, value):
        return [value]


class NotingFilter(Noting, FilterFunction):
    def filter(self, value):
        return True


class NotingProcess(Noting, ProcessFunction):
    def process_element(self, value, ctx):
        yield value


class NotingKey(Noting, KeySelector):
    def get_key(self, value):
        return value


class NotingReduce(Noting, ReduceFunction):
    def reduce(self, value1, value2):
        return value2


class NotingKeyed(Noting, KeyedProcessFunction):
    def process_element(self, value, ctx):
        yield value


class NotingSink(Noting, SinkFunction):
    def invoke(self, value, context):
        if value == 666:
            raise ValueError("the number")


def noting_job(env, path, values):
    stream = env.from_collection(values).map(NotingMap(path)).flat_map(NotingFlatMap(path))
    stream = stream.filter(NotingFilter(path)).process(NotingProcess(path))
    stream = stream.key_by(NotingKey(path)).reduce(NotingReduce(path))
    stream.key_by(lambda x: x).process(NotingKeyed(path)).add_sink(NotingSink(path))
    return env


KINDS = ["Filter", "FlatMap", "Key", "Keyed", "Map", "Process", "Reduce", "Sink"]


def test_open_and_close_are_called_once_per_subtask(env, tmp_path):
    path = tmp_path / "notes"
    noting_job(env, str(path), range(10)).execute()
    expected = [f"Noting{k}.{call}" for k in KINDS for call in ("close", "open")]
    assert sorted(path.read_text().splitlines()) == expected


def test_close_is_called_after_a_failure(env, tmp_path):
    path = tmp_path / "notes"
    with pytest.raises(JobError, match="the number"):
        noting_job(env, str(path), [1, 666]).execute()
    notes = path.read_text().splitlines()
    assert sorted(n for n in notes if n.endswith("open")) == [f"Noting{k}.open" for k in KINDS]
    assert sorted(n for n in notes if n.endswith("close")) == [f"Noting{k}.close" for k in KINDS]


class Failing(MapFunction):
    def __init__(self, where):
        self.where = where

    def open(self, runtime_context):
        if self.where == "open":
            raise ConnectionError("no door")

    def map(self, value):
        return value

    def close(self):
        if self.where == "close":
            raise ConnectionError("no door")


@pytest.mark.parametrize("where", ["open", "close"])
def test_failure_of_open_and_close_fails_the_job(env, results, where):
    stream = env.from_collection([1]).map(Failing(where)).name("Door")
    with pytest.raises(JobError, match=r"Door \(1/1\).*no door") as failure:
        results(stream)
    assert type(failure.value.__cause__) is ConnectionError


# --- how functions travel -------------------------------------------------------------------------


@pytest.mark.quick
def test_closure_is_taken_when_the_operator_is_added(env, results):
    stream = env.from_collection([1, 2])
    for i in (2, 3):
        stream = stream.map(lambda x: x * i)
    assert results(stream) == [6, 12]


def test_closures_over_everything(env, results):
    class Local:
        def __init__(self, n):
            self.n = n

        def times(self, x):
            return self.n * x

    table = {"by": 10, "names": ["a", "b"]}
    local, counter = Local(3), iter([])

    def outer(x):
        def inner(y):
            return local.times(y) + table["by"] + len(list(counter))

        return inner(x)

    def recursive(x):
        return 1 if x == 0 else x * recursive(x - 1)

    stream = env.from_collection([1, 2]).map(outer).map(recursive)
    assert results(stream) == [6227020800, 20922789888000]


def test_object_of_the_client_stays_untouched(env, results):
    class Growing(MapFunction):
        def __init__(self):
            self.seen = []

        def map(self, value):
            self.seen.append(value)
            return list(self.seen)

    function, default = Growing(), []

    def remember(x, seen=default):
        seen.append(x)
        return len(seen)

    assert results(env.from_collection([1, 2]).map(function)) == [[1], [1, 2]]
    assert results(env.from_collection([1, 2]).map(remember)) == [1, 2]
    assert function.seen == []
    assert default == []


GLOBAL = {"n": 0}


def count_globally(value):
    GLOBAL["n"] += 1
    return GLOBAL["n"]


def test_globals_of_the_program_are_private_copies(env, results):
    stream = env.from_collection([1, 2, 3])
    both = stream.map(count_globally).union(stream.map(count_globally))
    assert sorted(results(both)) == [1, 1, 2, 2, 3, 3]
    assert GLOBAL == {"n": 0}


def test_functions_of_modules(env, results):
    assert results(env.from_collection([1, 2]).map(job_records.double)) == [2, 4]


def test_class_in_place_of_an_instance_is_told(env):
    with pytest.raises(TypeError, match=r"Numbered is a class; give an instance: Numbered\(\)"):
        env.from_collection([1]).map(Numbered)


def test_what_cannot_travel_is_told_with_the_way_to_it(env):
    import threading

    lock = threading.Lock()
    with pytest.raises(TypeError, match=r"Map: the function .*variable 'lock' \(_thread.lock\)"):
        env.from_collection([1]).map(lambda x: (lock, x))

    class Holder(MapFunction):
        def __init__(self):
            self.parts = {"deep": [threading.Lock()]}

        def map(self, value):
            return value

    with pytest.raises(TypeError, match=r"attribute 'parts', item 'deep', item 0 \(_thread.lock"):
        env.from_collection([1]).map(Holder())


# --- running side by side -------------------------------------------------------------------------


def nap(x):
    begin = time.monotonic()
    time.sleep(0.1)
    return begin, time.monotonic()


@pytest.mark.parametrize("runners", [1, 4])
def test_subtasks_that_sleep_sleep_together_on_runners_of_their_own(
    make_env, results, mode, runners
):
    workers = 1 if mode == "thread" else 4
    settings = {
        "python.thread.runners": str(runners),
        "python.worker.pool-size": str(workers),
    }
    naps = results(make_env(4, **settings).from_collection(range(16)).rebalance().map(nap))
    took = max(end for _, end in naps) - min(begin for begin, _ in naps)
    if runners * workers == 1:
        assert took > 1.6
    else:
        assert took < 1.6 / 4 + 0.2


def test_results_of_slow_functions_come_out_before_all_are_done(env, tmp_path):
    calls = tmp_path / "calls"

    def slow(x):
        import time

        with calls.open("a") as file:
            file.write("x")
        time.sleep(0.02)
        return x

    numbers = env.from_collection(list(range(100))).rebalance().map(slow)
    with numbers.execute_and_collect("slow") as collected:
        assert next(collected) == 0
        assert len(calls.read_text()) < 50


def test_program_that_a_function_starts_can_be_terminated(env, results):
    def start_and_terminate(seconds):
        import subprocess

        with subprocess.Popen(["sleep", str(seconds)]) as child:
            child.terminate()
            return child.wait(10)

    assert results(env.from_collection([60]).map(start_and_terminate)) == [-15]


def test_two_jobs_at_once_run_apart(make_env, mode):
    def job(name, factor):
        env = make_env(2)
        stream = env.from_collection(range(2000)).rebalance().map(lambda x: x * factor)
        return stream.map(Numbered()).name(name).execute_and_collect(name)

    with job("first", 2) as first, job("second", 3) as second:
        found = [(next(first), next(second)) for _ in range(2000)]
    for side in zip(*found, strict=True):
        assert sorted(side) == [(s, n + 1, 1) for s in range(2) for n in range(1000)]


def test_many_jobs_one_after_the_other_leave_nothing(make_env, mode):
    import threading

    def run():
        env = make_env(2)
        env.from_collection([1]).map(lambda x: x).filter(lambda x: False).print()
        env.execute()

    run()
    descriptors, threads = len(list_descriptors()), threading.active_count()
    for _ in range(5):
        run()
    assert len(list_descriptors()) <= descriptors
    assert threading.active_count() <= threads
    assert children() == []


def list_descriptors():
    return list(Path("/proc/self/fd").iterdir())


def children():
    """The processes that this one started and that are still there."""
    found = Path(f"/proc/self/task/{Path('/proc/thread-self').resolve().name}/children")
    return found.read_text().split() if found.exists() else []


def test_environment_builds_the_next_job(make_env, results):
    env = make_env()
    assert isinstance(env, StreamExecutionEnvironment)
    assert results(env.from_collection([1]).map(lambda x: x)) == [1]
    assert results(env.from_collection([2]).map(lambda x: x)) == [2]


def test_execute_async_and_its_client(make_env):
    from leat.common import JobStatus

    env = make_env()
    env.from_collection(range(10)).map(lambda x: x).filter(lambda x: False).print()
    client = env.execute_async("later")
    result = client.get_job_execution_result().result()
    assert client.get_job_status().result() == JobStatus.FINISHED
    assert str(result.get_job_id()) == str(client.get_job_id())
    assert len(str(result.get_job_id())) == 32
    assert result.get_all_accumulator_results() == {}
    assert result.get_net_runtime() >= 0
