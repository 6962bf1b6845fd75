"""Checkpoints and savepoints of whole jobs, each in both modes."""

from __future__ import annotations

import fcntl
import json
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from conftest import environment
from leat.common import JobStatus, Types, WatermarkStrategy
from leat.datastream import (
    CheckpointingMode,
    ExternalizedCheckpointRetention,
    FileSystemCheckpointStorage,
    JobManagerCheckpointStorage,
    KeyedProcessFunction,
    MapFunction,
    SinkFunction,
)
from leat.datastream.connectors.number_seq import NumberSequenceSource
from leat.datastream.state import ValueStateDescriptor

LAST = 10**9


class Count(KeyedProcessFunction):
    """How many records its key has had."""

    def open(self, context):
        self.count = context.get_state(ValueStateDescriptor("count", Types.LONG()))

    def process_element(self, value, context):
        count = (self.count.value() or 0) + 1
        self.count.update(count)
        yield value % 3, count


class Diary(SinkFunction):
    """Writes what comes."""

    def __init__(self, path):
        self.path = str(path)

    def invoke(self, value, context):
        with Path(self.path).open("a") as f:
            f.write(json.dumps(list(value)) + "\n")


class Slowly(MapFunction):
    """Leaves a millisecond between two records."""

    def map(self, value):
        time.sleep(0.001)
        return value


def read(diary):
    text = diary.read_text() if diary.exists() else ""
    return [tuple(json.loads(line)) for line in text.splitlines()]


def until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def numbers_to(env, last):
    source = NumberSequenceSource(1, last)
    return env.from_source(source, WatermarkStrategy.no_watermarks(), "numbers")


def count_in(env, diary, last=LAST):
    numbers = numbers_to(env, last).map(Slowly(), Types.LONG())
    counts = numbers.key_by(lambda n: n % 3).process(Count())
    counts.add_sink(Diary(diary))
    return env.execute_async("count")


def assert_each_once(lines):
    """Every key has counted 1, 2, 3 ..., whatever was restarted."""
    seen = {}
    for key, count in lines:
        assert count == seen.get(key, 0) + 1, (key, count)
        seen[key] = count


def grow(diary, more=30):
    size = len(read(diary))
    until(lambda: len(read(diary)) >= size + more)


# --- savepoints ---------------------------------------------------------------------------------


@pytest.mark.quick
def test_a_stopped_job_goes_on_from_its_savepoint(make_env, tmp_path):
    diary, settings = tmp_path / "diary", {}
    for _ in range(3):
        client = count_in(make_env(**settings), diary)
        grow(diary)
        path = client.stop_with_savepoint(False, str(tmp_path / "saved")).result()
        assert client.get_job_status().result() == JobStatus.FINISHED
        assert Path(path).parent == tmp_path / "saved"
        assert (Path(path) / "_metadata").is_file()
        settings = {"execution.savepoint.path": path}
    assert_each_once(read(diary))


def test_a_savepoint_outlives_its_job(make_env, tmp_path):
    diary = tmp_path / "diary"
    client = count_in(make_env(), diary)
    grow(diary)
    future = client.trigger_savepoint(tmp_path / "saved")
    path = future.result()
    assert future.done() and future.exception() is None
    grow(diary)
    assert client.get_job_status().result() == JobStatus.RUNNING
    client.cancel().result()
    again = tmp_path / "again"
    env = make_env(**{"execution.savepoint.path": path})
    client = count_in(env, again)
    grow(again)
    client.cancel().result()
    first = {}
    for key, count in read(again):
        assert count == first.setdefault(key, count - 1) + 1
        first[key] = count
    assert min(count for _, count in read(again)) > 1


def test_draining_ends_the_data(make_env, tmp_path):
    diary = tmp_path / "diary"
    env = make_env()
    env.set_default_savepoint_directory(str(tmp_path / "saved"))
    numbers_to(env, LAST).map(Slowly(), Types.LONG()).key_by(lambda n: 0).process(
        AtTheEnd()
    ).add_sink(Diary(diary))
    client = env.execute_async("drained")
    until(lambda: any(m["metrics"]["numRecordsIn"] > 10 for m in client.get_metrics().result()))
    path = client.stop_with_savepoint(True).result()
    assert client.get_job_execution_result().result().get_net_runtime() >= 0
    assert Path(path).parent == tmp_path / "saved"
    assert read(diary) == [("end",)]


class AtTheEnd(KeyedProcessFunction):
    def process_element(self, value, context):
        context.timer_service().register_event_time_timer(2**63 - 1)

    def on_timer(self, timestamp, context):
        yield ("end",)


def test_futures_have_what_went_wrong(make_env, tmp_path):
    (tmp_path / "file").touch()
    diary = tmp_path / "diary"
    client = count_in(make_env(), diary)
    grow(diary)
    with pytest.raises(OSError, match="in place of one"):
        client.trigger_savepoint(str(tmp_path / "file" / "x")).result()
    failed = client.stop_with_savepoint(False, str(tmp_path / "file" / "x"))
    assert "in place of one" in str(failed.exception())
    with pytest.raises(ValueError, match=r"execution\.checkpointing\.savepoint-dir"):
        client.trigger_savepoint().result()
    grow(diary)
    client.cancel().result()
    with pytest.raises(RuntimeError, match="the job has ended"):
        client.trigger_savepoint(str(tmp_path)).result()
    assert_each_once(read(diary))


# --- loops --------------------------------------------------------------------------------------

RUNNERS, LAPS = 40, 12


class Lap(MapFunction):
    def map(self, value):
        time.sleep(0.0005)
        return value[0], value[1] + 1


def race_in(env, diary):
    """Each number goes round so many times, and each lap is told."""
    numbers = numbers_to(env, RUNNERS).map(lambda n: (n, 0)).rebalance()
    loop = numbers.iterate()
    run = loop.map(Lap())
    loop.close_with(run.filter(lambda v: v[1] < LAPS).rebalance())
    run.add_sink(Diary(diary))
    return env.execute_async("race")


@pytest.mark.parametrize("parallelisms", [(1, 1, 1), (2, 2, 2), (1, 2, 3)])
def test_a_stopped_loop_goes_on_with_what_was_on_its_way(make_env, tmp_path, parallelisms):
    diary, settings = tmp_path / "diary", {}
    for parallelism in parallelisms:
        client = race_in(make_env(parallelism, **settings), diary)
        grow(diary, RUNNERS)
        path = client.stop_with_savepoint(False, str(tmp_path)).result()
        assert client.get_job_status().result() == JobStatus.FINISHED
        settings = {"execution.state-recovery.path": path}
    race_in(make_env(**settings), diary).get_job_execution_result().result()
    assert sorted(read(diary)) == [(n, lap) for n in range(1, RUNNERS + 1) for lap in laps()]


def laps():
    return range(1, LAPS + 1)


@pytest.mark.parametrize("parallelism", [1, 2])
def test_a_loop_goes_on_when_its_savepoint_fails(make_env, tmp_path, parallelism):
    (tmp_path / "file").touch()
    diary = tmp_path / "diary"
    client = race_in(make_env(parallelism), diary)
    for _ in range(3):
        grow(diary, RUNNERS)
        failed = client.stop_with_savepoint(False, str(tmp_path / "file" / "x"))
        assert "in place of one" in str(failed.exception())
    client.get_job_execution_result().result()
    assert sorted(read(diary)) == [(n, lap) for n in range(1, RUNNERS + 1) for lap in laps()]


def test_what_is_on_its_way_and_cannot_be_pickled_fails_the_savepoint_alone(make_env, tmp_path):
    diary = tmp_path / "diary"
    env = make_env(**{"pipeline.object-reuse": "true"})
    numbers = numbers_to(env, 50).map(lambda n: (threading.Lock(), n))
    loop = numbers.iterate()
    run = loop.map(Slowly())
    loop.close_with(run.rebalance())
    run.map(lambda v: (v[1], 0)).add_sink(Diary(diary))
    client = env.execute_async("locks")
    grow(diary)
    for stop in (client.trigger_savepoint, lambda path: client.stop_with_savepoint(False, path)):
        assert re.search(r"\(1/1\): TypeError: .*lock", str(stop(str(tmp_path)).exception()))
        grow(diary)
    assert client.get_job_status().result() == JobStatus.RUNNING
    client.cancel().result()


# --- checkpoints --------------------------------------------------------------------------------


def test_clients_hear_what_became_of_checkpoints(make_env, tmp_path):
    settings = {"execution.checkpointing.interval": "20 ms"}
    settings["execution.checkpointing.dir"] = str(tmp_path / "kept")
    client = count_in(make_env(**settings), tmp_path / "diary")
    until(lambda: client.get_checkpoints().result()["numberOfCompletedCheckpoints"] >= 2)
    told = client.get_checkpoints().result()
    assert told["lastCompletedCheckpointId"] >= 2
    assert told["lastCheckpointExternalPath"].startswith(str(tmp_path / "kept" / "count" / "chk-"))
    assert told["lastCheckpointSize"] > 100
    assert 0 <= told["lastCheckpointDuration"] < 20_000
    assert abs(told["lastCheckpointCompletedTimestamp"] - time.time() * 1000) < 20_000
    assert told["numberOfFailedCheckpoints"] == 0
    assert told["lastCheckpointRestoreTimestamp"] == -1
    path = client.trigger_savepoint(tmp_path / "saved").result()
    assert client.get_checkpoints().result()["totalNumberOfCheckpoints"] >= 3
    client.cancel().result()
    settings |= {"execution.savepoint.path": path, "execution.state-recovery.allow-older": "true"}
    env = make_env(**settings)
    client = count_in(env, tmp_path / "again")
    until(lambda: client.get_checkpoints().result()["lastCheckpointRestoreTimestamp"] > 0)
    client.cancel().result()


def checkpoints(folder, job="count"):
    return sorted(p.name for p in folder.glob(f"{job}/chk-*") if not p.name.endswith(".part"))


def test_what_waits_for_a_checkpoint_to_be_collected_asks_for_one(make_env):
    env = make_env()
    env.enable_checkpointing(3_600_000)
    numbers = numbers_to(env, 10**12).map(lambda n: -n, Types.LONG())
    with numbers.execute_and_collect("hurry") as results:
        taken = [next(results) for _ in range(100_000)]
    assert taken == list(range(-1, -100_001, -1))


def test_a_cancelled_job_goes_on_from_its_latest_checkpoint(make_env, tmp_path):
    kept = tmp_path / "kept"
    diary = tmp_path / "diary"
    env = make_env()
    env.enable_checkpointing(20)
    env.get_checkpoint_config().set_checkpoint_storage_dir(f"file://{kept}")
    client = count_in(env, diary)
    grow(diary)
    until(lambda: checkpoints(kept))
    client.cancel().result()
    assert len(checkpoints(kept)) == 1
    again = tmp_path / "again"
    settings = {"execution.savepoint.path": "latest", "execution.checkpointing.dir": str(kept)}
    client = count_in(make_env(**settings), again)
    grow(again)
    client.cancel().result()
    before, behind = dict(read(diary)), dict(reversed(read(again)))
    assert all(1 <= behind[key] <= before[key] + 1 for key in behind)


@pytest.mark.parametrize(
    ("retention", "cancelled", "finished"),
    [
        (None, 1, 1),
        ("RETAIN_ON_CANCELLATION", 1, 1),
        ("DELETE_ON_CANCELLATION", 0, 1),
        ("NO_EXTERNALIZED_CHECKPOINTS", 0, 0),
    ],
)
def test_what_stays_of_a_job(make_env, tmp_path, retention, cancelled, finished):
    for name, last, stays in (("cancelled", LAST, cancelled), ("finished", 30, finished)):
        kept, diary = tmp_path / name, tmp_path / f"{name}.txt"
        env = make_env()
        env.enable_checkpointing(10)
        config = env.get_checkpoint_config()
        config.set_checkpoint_storage(FileSystemCheckpointStorage(str(kept)))
        if retention:
            config.set_externalized_checkpoint_retention(ExternalizedCheckpointRetention[retention])
        client = count_in(env, diary, last)
        if last == LAST:
            until(lambda kept=kept: checkpoints(kept))
            client.cancel().result()
        else:
            client.get_job_execution_result().result()
        assert len(checkpoints(kept)) == stays
        if last != LAST:
            assert_each_once(read(diary))


def test_a_failed_job_starts_again_and_counts_on(make_env, tmp_path):
    env = make_env(**{"restart-strategy": "fixed-delay", "restart-strategy.fixed-delay.delay": "0"})
    env.enable_checkpointing(10, CheckpointingMode.EXACTLY_ONCE)
    env.get_checkpoint_config().set_checkpoint_storage(JobManagerCheckpointStorage())
    flag = tmp_path / "flag"
    numbers = numbers_to(env, 300).map(Fail(flag), Types.LONG())
    with numbers.key_by(lambda n: n % 3).process(Count()).execute_and_collect("count") as records:
        lines = list(records)
    assert flag.exists()
    assert_each_once(lines)
    assert len(lines) == 300


class Fail(MapFunction):
    """Once, when some checkpoints have been made."""

    def __init__(self, flag):
        self.flag = str(flag)

    def map(self, value):
        time.sleep(0.001)
        if value == 200 and not Path(self.flag).exists():
            Path(self.flag).touch()
            raise ValueError("once")
        return value


def test_settings_are_those_of_the_configuration(make_env):
    env = make_env(
        **{
            "execution.checkpointing.interval": "3 s",
            "execution.checkpointing.mode": "at_least_once",
            "state.checkpoints.dir": "file:///points",
            "execution.checkpointing.unaligned": "true",
        }
    )
    config = env.get_checkpoint_config()
    assert config.is_checkpointing_enabled()
    assert env.get_checkpoint_interval() == 3000
    assert env.get_checkpointing_mode() is CheckpointingMode.AT_LEAST_ONCE
    assert config.get_checkpoint_storage().get_checkpoint_path() == "file:///points"
    assert env.is_unaligned_checkpoints_enabled()
    with pytest.raises(TypeError, match="CheckpointingMode"):
        env.enable_checkpointing(1000, "EXACTLY_ONCE")
    with pytest.raises(ValueError, match="at least 10"):
        env.enable_checkpointing(5)


# --- runs of the same job -----------------------------------------------------------------------

STUCK = """
import os, sys, time
from pathlib import Path
from pyflink.datastream import StreamExecutionEnvironment

pid, first = Path(sys.argv[1]), len(sys.argv) == 2

def stay(value):
    if first:
        pid.write_text(str(os.getpid()))
    while first:
        time.sleep(1)
    lives = Path("/proc", pid.read_text(), "cmdline")  # empty when it was not yet waited for
    return "still there" if lives.exists() and lives.read_bytes() else "gone"

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1).enable_checkpointing(10_000)
env.get_checkpoint_config().set_checkpoint_storage_dir(sys.argv[1] + "-kept")
env.from_collection([1]).map(stay).print()
env.execute("stuck")
"""


def test_a_new_run_waits_until_the_old_ones_workers_are_gone(leat_start, leat_run, mode, tmp_path):
    pid = tmp_path / "pid"
    first = leat_start(STUCK, str(pid))
    until(lambda: pid.exists() and pid.read_text())
    stuck = int(pid.read_text())
    assert (stuck == first.pid) == (mode == "thread")
    first.kill()
    first.wait()
    done = leat_run(STUCK, str(pid), "goes on")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["gone"]


def test_a_folder_that_cannot_be_made_is_an_os_error(make_env, tmp_path):
    (tmp_path / "file").touch()
    for folder in tmp_path / "file" / "x", "/proc/x":
        env = make_env(**{"execution.checkpointing.dir": str(folder)})
        env.from_collection([1]).print()
        with pytest.raises(OSError, match=r"folder.*\(execution\.checkpointing\.dir\)"):
            env.execute("job")


@pytest.fixture
def taken(tmp_path):
    """A folder for checkpoints in which this process has that of the job `taken`."""
    (tmp_path / "kept" / "taken").mkdir(parents=True)
    with (tmp_path / "kept" / "taken" / "lock").open("w") as file:
        print(1, "0123", file=file, flush=True)  # process 1 is always there
        fcntl.flock(file, fcntl.LOCK_EX)
        yield tmp_path / "kept"


def test_the_wait_for_a_folder_ends_by_a_signal(leat_start, taken):
    script = f"""
from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
env.get_checkpoint_config().set_checkpoint_storage_dir({str(taken)!r})
env.from_collection([1]).print()
env.execute("taken")
"""
    for number, code in (signal.SIGINT, 130), (signal.SIGTERM, 143):
        child = leat_start(script)
        line = child.stderr.readline()
        assert "in use by process 1 (job 0123); waiting for its end, 10 s at most" in line
        begin = time.monotonic()
        child.send_signal(number)
        assert child.wait(20) == code
        assert time.monotonic() - begin < 3  # a second, on a machine that does nothing else
        assert "Traceback" not in child.stderr.read()


def test_a_job_that_waits_for_its_folder_can_be_cancelled(make_env, taken):
    env = make_env(**{"execution.checkpointing.dir": str(taken)})
    env.from_collection([1]).print()
    client = env.execute_async("taken")
    assert client.get_job_status().result() == JobStatus.CREATED
    begin = time.monotonic()
    client.cancel().result()
    assert client.get_job_status().result() == JobStatus.CANCELED
    assert time.monotonic() - begin < 3


class Locked(KeyedProcessFunction):
    """Keeps what nobody can pickle."""

    def open(self, context):
        self.boxes = context.get_state(ValueStateDescriptor("boxes", Types.PICKLED_BYTE_ARRAY()))

    def process_element(self, value, context):
        self.boxes.update([threading.Lock()])
        yield 0, value


def test_what_cannot_be_pickled_fails_the_savepoint_and_not_the_job(env, tmp_path):
    diary = tmp_path / "diary"
    counted = numbers_to(env, LAST).map(Slowly()).key_by(lambda n: 0).process(Locked())
    counted.add_sink(Diary(diary))
    client = env.execute_async("locked")
    grow(diary)
    for _ in range(2):
        failure = str(client.trigger_savepoint(str(tmp_path)).exception())
        assert re.search(r"\(1/1\): state 'boxes': TypeError: .*lock", failure)
    grow(diary)
    assert client.get_job_status().result() == JobStatus.RUNNING
    client.cancel().result()


class Ballast(Locked):
    """Has so much in another state that what nobody can pickle is changed before its turn comes."""

    KEYS = 20_000

    def open(self, context):
        self.ballast = context.get_state(
            ValueStateDescriptor("ballast", Types.PICKLED_BYTE_ARRAY())
        )
        super().open(context)

    def process_element(self, value, context):
        key, number = value
        if key >= 8:
            self.ballast.update({key: [number] * 20})
        else:
            yield from super().process_element(number, context)


def load(number):
    if number == 1:
        yield from ((key, number) for key in range(8, Ballast.KEYS))
    yield number % 8, number


def test_what_cannot_be_pickled_and_changes_fails_the_savepoint_and_not_the_job(env, tmp_path):
    diary = tmp_path / "diary"
    loaded = numbers_to(env, LAST).map(Slowly()).flat_map(load)
    loaded.key_by(lambda v: v[0]).process(Ballast()).add_sink(Diary(diary))
    client = env.execute_async("ballast")
    grow(diary, 8)
    for _ in range(3):
        failure = str(client.trigger_savepoint(str(tmp_path)).exception())
        assert re.search(r"\(1/1\): state 'boxes': TypeError: .*lock", failure)
        grow(diary, 8)
    assert client.get_job_status().result() == JobStatus.RUNNING
    client.cancel().result()


EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "python" / "14_survive.py"


def test_the_example_survives_being_killed(mode, tmp_path):
    """Killed again and again behind a few results, it comes to its end, and misses none."""
    printed: list[str] = []
    options = ("run", "-s", "latest", "-D", f"python.execution-mode={mode}")
    kills = 0
    while True:
        command = [sys.executable, "-m", "leat", *options, str(EXAMPLE), str(tmp_path)]
        child = subprocess.Popen(
            command, env=environment(), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        try:
            for line in child.stdout:
                printed.append(line.strip().split("> ")[-1])
                if kills < 3 and checkpoints(tmp_path, "survive") and len(printed) % 4 == 0:
                    kills += 1
                    child.kill()
            said = child.communicate(timeout=20)[1]
        finally:
            child.kill()
        if child.returncode != -signal.SIGKILL:
            break
    assert child.returncode == 0, said
    assert kills == 3
    wanted = {f"{n} {which} numbers" for n in range(50, 501, 50) for which in ("odd", "even")}
    assert set(printed) == wanted
    assert len(printed) < 3 * len(wanted)  # it did not begin anew each time
