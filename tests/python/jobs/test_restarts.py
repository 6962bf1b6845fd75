"""Second attempts: whole jobs that fail and are started again, each in both modes."""

from __future__ import annotations

import logging
import os
import signal
import time
from itertools import pairwise
from pathlib import Path

import pytest
from leat.common import JobStatus, RestartStrategies, Types
from leat.common.errors import JobCancelled, JobError
from leat.datastream import (
    AsyncDataStream,
    AsyncFunction,
    KeyedProcessFunction,
    MapFunction,
    SinkFunction,
)
from leat.datastream.state import ValueStateDescriptor

FIXED = {
    "restart-strategy.type": "fixed-delay",
    "restart-strategy.fixed-delay.attempts": "3",
    "restart-strategy.fixed-delay.delay": "0 ms",
}


@pytest.fixture
def diary(tmp_path):
    """A file that functions write lines to, wherever they run."""
    path = tmp_path / "diary"
    path.touch()
    return path


def write(diary, *words):
    with Path(diary).open("a") as f:
        f.write(" ".join(str(w) for w in words) + "\n")


def first_time(diary, name="once"):
    """True once in all attempts and processes."""
    try:
        os.close(os.open(f"{diary}-{name}", os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True


class Diary(SinkFunction):
    """Writes what comes."""

    def __init__(self, diary):
        self.diary = str(diary)

    def invoke(self, value, context):
        write(self.diary, value)


def lines(diary):
    return diary.read_text().splitlines()


def until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def finished(client):
    client.get_job_execution_result().result()
    return client.get_attempts().result()


# --- attempts -----------------------------------------------------------------------------------


@pytest.mark.quick
def test_an_exception_and_then_success(make_env, diary, caplog):
    def odd_once(x):
        if x == 3 and first_time(diary):
            raise ValueError("odd")
        return x

    env = make_env(**FIXED)
    env.from_collection([1, 2, 3, 4]).map(odd_once).name("Odd").add_sink(Diary(diary))
    with caplog.at_level(logging.WARNING, "leat"):
        client = env.execute_async("odd job")
        attempts = finished(client)
    assert client.get_job_status().result() == JobStatus.FINISHED
    assert lines(diary)[-4:] == ["1", "2", "3", "4"]
    assert [a["attempt"] for a in attempts] == [0, 1]
    first, second = attempts
    assert (first["operator"], first["subtask"], first["parallelism"]) == ("Odd", 0, 1)
    assert first["error"] == "ValueError: odd"
    assert first["record"] == "3"
    assert 'raise ValueError("odd")' in first["traceback"]
    assert second == {"attempt": 1, "error": None}
    said = [r.message for r in caplog.records if r.name == "leat"]
    assert said == ["odd job: restarting: attempt 2 now, because Odd (1/1): ValueError: odd"]


def test_a_job_without_failures_has_one_attempt(make_env, diary):
    env = make_env(**FIXED)
    env.from_collection([1]).map(str).add_sink(Diary(diary))
    assert finished(env.execute_async()) == [{"attempt": 0, "error": None}]


def test_functions_know_their_attempt_and_are_fresh(make_env, diary):
    class Fresh(MapFunction):
        def __init__(self):
            self.seen = 0

        def open(self, context):
            self.attempt = context.get_attempt_number()

        def map(self, x):
            self.seen += 1
            if x == 2 and self.attempt < 2:
                raise KeyError(self.attempt)
            return f"{self.attempt} {x} {self.seen}"

    env = make_env(**FIXED)
    env.from_collection([1, 2]).map(Fresh()).add_sink(Diary(diary))
    attempts = finished(env.execute_async())
    assert [a["error"] for a in attempts] == ["KeyError: 0", "KeyError: 1", None]
    assert lines(diary)[-2:] == ["2 1 1", "2 2 2"]


def test_state_begins_empty_without_checkpoints(make_env, diary):
    class Count(KeyedProcessFunction):
        def open(self, context):
            self.count = context.get_state(ValueStateDescriptor("count", Types.LONG()))

        def process_element(self, value, ctx):
            count = (self.count.value() or 0) + 1
            self.count.update(count)
            if count == 5 and first_time(diary):
                raise RuntimeError("five")
            yield value, count

    env = make_env(2, **FIXED)
    stream = env.from_collection([1, 2] * 6, Types.LONG()).key_by(lambda x: x)
    stream.process(Count(), Types.TUPLE([Types.LONG(), Types.LONG()])).add_sink(Diary(diary))
    assert len(finished(env.execute_async())) == 2
    last = {eval(line)[0]: eval(line)[1] for line in lines(diary)}
    assert last == {1: 6, 2: 6}


def test_several_operators_fail_at_once(make_env, diary):
    class Fail(MapFunction):
        def open(self, context):
            self.fails = context.get_attempt_number() < 3

        def map(self, x):
            if self.fails:
                raise ValueError(x)
            return x

    env = make_env(4, **FIXED)
    stream = env.from_collection(list(range(40)))
    stream.rebalance().map(Fail()).rebalance().map(Fail()).add_sink(Diary(diary))
    attempts = finished(env.execute_async())
    assert [a["attempt"] for a in attempts] == [0, 1, 2, 3]
    assert all(a["error"].startswith("ValueError: ") for a in attempts[:3])
    assert sorted(map(int, lines(diary)))[-1] == 39
    assert len(lines(diary)) == 40


@pytest.mark.parametrize("where", ["open", "close"])
def test_open_and_close_may_fail(make_env, diary, where):
    class Fragile(MapFunction):
        def open(self, context):
            self.attempt = context.get_attempt_number()
            self.fail("open")

        def close(self):
            self.fail("close")

        def fail(self, here):
            if here == where and self.attempt < 2:
                raise OSError(here)

        def map(self, x):
            return x

    env = make_env(2, **FIXED)
    env.from_collection([1, 2, 3]).rebalance().map(Fragile()).add_sink(Diary(diary))
    attempts = finished(env.execute_async())
    assert [a["error"] for a in attempts] == [f"OSError: {where}"] * 2 + [None]
    assert sorted(lines(diary)[-3:]) == ["1", "2", "3"]


def test_system_exit_is_a_failure_like_others(make_env, diary):
    def leave(x):
        if first_time(diary):
            raise SystemExit(3)
        return x

    env = make_env(**FIXED)
    env.from_collection([1]).map(leave).add_sink(Diary(diary))
    assert [a["error"] for a in finished(env.execute_async())] == ["SystemExit: 3", None]


def test_asynchronous_calls_go_on_in_the_next_attempt(make_env, diary):
    class Later(AsyncFunction):
        async def async_invoke(self, value):
            import asyncio

            await asyncio.sleep(0.001 if value != 3 else 0.02)
            if value == 3 and first_time(diary):
                raise ValueError("three")
            return [value]

    from leat.common import Time

    env = make_env(**FIXED)
    stream = env.from_collection(list(range(10)), Types.INT())
    stream = AsyncDataStream.ordered_wait(stream, Later(), Time.seconds(10), 100, Types.INT())
    stream.add_sink(Diary(diary))
    assert len(finished(env.execute_async())) == 2
    assert lines(diary)[-10:] == [str(i) for i in range(10)]


# --- dead workers -------------------------------------------------------------------------------


def test_a_killed_worker_is_replaced(make_env, diary, mode):
    main = os.getpid()

    def die_once(x):
        if x == 7 and first_time(diary):
            if os.getpid() == main:
                raise MemoryError("there is no worker to kill")
            os.kill(os.getpid(), signal.SIGKILL)
        return x

    env = make_env(2, **FIXED)
    env.from_collection(list(range(10))).rebalance().map(die_once).add_sink(Diary(diary))
    attempts = finished(env.execute_async())
    assert len(attempts) == 2
    if mode == "process":
        assert "signal 9" in attempts[0]["error"]
        assert attempts[0]["subtask"] == -1
    assert sorted(map(int, lines(diary)))[-1] == 9
    assert {*map(int, lines(diary))} == {*range(10)}


def test_workers_of_a_former_attempt_are_gone(make_env, diary, mode):
    def note(x):
        write(diary, os.getpid())
        if first_time(diary):
            raise ValueError("new ones, please")
        return x

    env = make_env(**FIXED)
    env.from_collection([1]).map(note).print()
    finished(env.execute_async())
    first, second = map(int, lines(diary))
    if mode == "thread":
        assert first == second == os.getpid()
        return
    assert first != second
    for pid in (first, second):
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


# --- strategies ---------------------------------------------------------------------------------


def always_failing(env, diary):
    def fail(x):
        write(diary, time.monotonic())
        raise ValueError("never")

    env.from_collection([1]).map(fail).name("Hopeless").print()


def failure(env):
    with pytest.raises(JobError) as caught:
        env.execute("job")
    return caught.value


def test_without_a_strategy_the_first_failure_ends_the_job(make_env, diary):
    env = make_env()
    always_failing(env, diary)
    error = failure(env)
    assert "attempt" not in str(error)
    assert len(lines(diary)) == 1


def test_fixed_delay_waits_and_gives_up(make_env, diary):
    env = make_env()
    env.set_restart_strategy(RestartStrategies.fixed_delay_restart(2, 150))
    always_failing(env, diary)
    error = failure(env)
    assert "Hopeless (1/1): ValueError: never; the job gave up after 3 attempts " in str(error)
    assert "(fixed-delay: 2 restarts)" in str(error)
    assert isinstance(error.__cause__, ValueError)
    times = list(map(float, lines(diary)))
    assert len(times) == 3
    assert all(b - a >= 0.15 for a, b in pairwise(times))


def test_failure_rate_gives_up(make_env, diary):
    env = make_env()
    env.set_restart_strategy(RestartStrategies.failure_rate_restart(3, 60000, 0))
    always_failing(env, diary)
    assert "after 4 attempts (failure-rate: 3 restarts within 60000 ms)" in str(failure(env))
    assert len(lines(diary)) == 4


def test_exponential_delay_grows(make_env, diary):
    key = "restart-strategy.exponential-delay."
    env = make_env(
        **{
            "restart-strategy": "exponentialdelay",
            f"{key}initial-backoff": "100 ms",
            f"{key}backoff-multiplier": "2",
            f"{key}jitter-factor": "0",
            f"{key}attempts-before-reset-backoff": "3",
        }
    )
    always_failing(env, diary)
    assert "after 4 attempts (exponential-delay: 3 restarts in a row)" in str(failure(env))
    times = list(map(float, lines(diary)))
    waits = [b - a for a, b in pairwise(times)]
    assert all(w >= least for w, least in zip(waits, (0.1, 0.2, 0.4), strict=True))


def test_falling_back_is_the_configured_strategy(make_env, diary):
    env = make_env(**FIXED)
    env.set_restart_strategy(RestartStrategies.no_restart())
    env.set_restart_strategy(RestartStrategies.fall_back_restart())
    always_failing(env, diary)
    assert "(fixed-delay: 3 restarts)" in str(failure(env))


def test_no_restart_over_a_configured_strategy(make_env, diary):
    env = make_env(**FIXED)
    env.set_restart_strategy(RestartStrategies.no_restart())
    always_failing(env, diary)
    failure(env)
    assert len(lines(diary)) == 1


def test_a_strategy_that_nobody_knows_is_refused(make_env):
    with pytest.raises(ValueError, match="fixed-delay"):
        make_env(**{"restart-strategy.type": "com.example.MyStrategy"})
    with pytest.raises(ValueError, match="max-failures-per-interval"):
        make_env().set_restart_strategy(RestartStrategies.failure_rate_restart(0, 1, 1))


def test_values_that_do_not_go_together_are_refused(make_env, diary):
    env = make_env(**{"restart-strategy.type": "exponential-delay"})
    env._engine.set("restart-strategy.exponential-delay.initial-backoff", "1 h")
    always_failing(env, diary)
    with pytest.raises(ValueError, match="raise max-backoff"):
        env.execute()
    assert lines(diary) == []


def test_cancel_while_the_job_waits(make_env, diary):
    env = make_env(**{**FIXED, "restart-strategy.fixed-delay.delay": "1 h"})
    always_failing(env, diary)
    client = env.execute_async()
    until(lambda: client.get_job_status().result() == JobStatus.RESTARTING)
    (attempt,) = client.get_attempts().result()
    assert attempt["error"] == "ValueError: never"
    with pytest.raises(RuntimeError, match="the job is not running: it is RESTARTING; ask again"):
        client.trigger_savepoint(str(diary) + "-saved").result()
    begin = time.monotonic()
    client.cancel().result()
    assert time.monotonic() - begin < 2
    assert client.get_job_status().result() == JobStatus.CANCELED
    with pytest.raises(JobCancelled):
        client.get_job_execution_result().result()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signal_while_the_job_waits(leat_start, number, code):
    child = leat_start("""
from pyflink.common import RestartStrategies
from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment().set_parallelism(1)
env.set_restart_strategy(RestartStrategies.fixed_delay_restart(1, 3_600_000))
env.from_collection([0]).map(lambda x: 1 // x).print()
env.execute("job")
""")
    assert "restarting: attempt 2 in 3600 s" in child.stderr.readline()
    begin = time.monotonic()
    child.send_signal(number)
    assert child.wait(30) == code
    assert time.monotonic() - begin < 3
    assert child.stderr.read() in ("", "leat: cancelling; once more kills\n")


# --- collected records --------------------------------------------------------------------------


def test_collected_records_that_were_taken_end_the_job(make_env, diary):
    def fail_when_taken(x):
        if x == 1 and first_time(diary):
            until(lambda: Path(f"{diary}-taken").exists())
            raise ValueError("too late")
        return x

    env = make_env(**{**FIXED, "execution.buffer-timeout.interval": "0"})
    stream = env.from_collection(list(range(10))).map(fail_when_taken)
    with stream.execute_and_collect() as collected:
        assert next(collected) == 0
        first_time(diary, "taken")
        with pytest.raises(JobError, match="records of it have been collected, and without"):
            list(collected)


def test_collected_records_that_nobody_took_come_once(make_env, diary):
    class FailInOpen(MapFunction):
        def open(self, context):
            if context.get_attempt_number() < 2:
                raise ValueError("not yet")

        def map(self, x):
            return x

    env = make_env(**FIXED)
    with env.from_collection([1, 2, 3]).map(FailInOpen()).execute_and_collect() as collected:
        assert list(collected) == [1, 2, 3]


def test_collected_records_are_exactly_once_with_checkpoints(make_env, diary, mode):
    main = os.getpid()

    def die_when_some_were_taken(x):
        if Path(f"{diary}-taken").exists() and first_time(diary):
            if os.getpid() == main:
                raise ValueError("there is no worker to kill")
            os.kill(os.getpid(), signal.SIGKILL)
        if not Path(f"{diary}-once").exists():
            time.sleep(0.0001)
        return x

    env = make_env(2, **{**FIXED, "execution.checkpointing.interval": "10 ms"})
    stream = env.from_collection(list(range(20000)), Types.LONG()).rebalance()
    with stream.map(die_when_some_were_taken, Types.LONG()).execute_and_collect() as collected:
        first = next(collected)
        first_time(diary, "taken")
        rest = list(collected)
    assert sorted([first, *rest]) == list(range(20000))
    assert Path(f"{diary}-once").exists()
