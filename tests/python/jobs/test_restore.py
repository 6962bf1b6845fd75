"""Jobs that are cancelled and go on from their newest checkpoint: with another parallelism, in the
other mode; and what nobody may start from.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from leat.common import Duration, JobStatus, Time, Types, WatermarkStrategy
from leat.common.errors import JobCancelled, NotSupportedError, RestoreError
from leat.common.watermark_strategy import TimestampAssigner
from leat.datastream import (
    AggregateFunction,
    KeyedProcessFunction,
    ProcessJoinFunction,
    SinkFunction,
)
from leat.datastream.state import (
    ListStateDescriptor,
    MapStateDescriptor,
    StateTtlConfig,
    ValueStateDescriptor,
)
from leat.datastream.window import (
    EventTimeSessionWindows,
    SlidingEventTimeWindows,
    Trigger,
    TriggerResult,
    TumblingEventTimeWindows,
)

RECORDS = 300
PATH = "execution.state-recovery.path"


class Lines(SinkFunction):
    """Appends what comes to a file."""

    def __init__(self, path):
        self.path = str(path)

    def invoke(self, value, context):
        with Path(self.path).open("a") as f:
            f.write(f"{value}\n")


class Index(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value * 10


def slowly(x):
    time.sleep(0.001)
    return x


def numbers(env, pause=slowly):
    """0, 1, 2 ... as event times 0, 10, 20 ..."""
    strategy = WatermarkStrategy.for_bounded_out_of_orderness(Duration.of_millis(0))
    stream = env.from_collection(list(range(RECORDS)), Types.LONG()).map(pause, Types.LONG())
    stream.set_parallelism(1)
    stream = stream.assign_timestamps_and_watermarks(strategy.with_timestamp_assigner(Index()))
    return stream.set_parallelism(1)


def pairs(env):
    return (
        numbers(env)
        .map(lambda x: (x % 7, 1), Types.TUPLE([Types.LONG(), Types.LONG()]))
        .set_parallelism(1)
        .key_by(lambda p: p[0], Types.LONG())
    )


def count(env):
    return pairs(env).reduce(lambda a, b: (a[0], a[1] + b[1])).uid("counts")


class Alarms(KeyedProcessFunction):
    """Numbers the records of a key, and every tenth sets a timer that tells the number."""

    def open(self, runtime_context):
        self.seen = runtime_context.get_state(ValueStateDescriptor("seen", Types.LONG()))
        self.set = runtime_context.get_list_state(ListStateDescriptor("set", Types.LONG()))

    def process_element(self, value, ctx):
        seen = (self.seen.value() or 0) + 1
        self.seen.update(seen)
        if seen % 10 == 0:
            self.set.add(seen)
            ctx.timer_service().register_event_time_timer(ctx.timestamp() + 955)
        yield f"{value[0]}: {seen}"

    def on_timer(self, timestamp, ctx):
        yield f"{ctx.get_current_key()} at {timestamp}: {list(self.set.get())}"


def alarms(env):
    return pairs(env).process(Alarms(), Types.STRING()).uid("alarms")


def sums(env):
    return (
        pairs(env)
        .window(SlidingEventTimeWindows.of(Time.milliseconds(400), Time.milliseconds(100)))
        .sum(1)
    )


class Mean(AggregateFunction):
    def create_accumulator(self):
        return (0, 0)

    def add(self, value, accumulator):
        return (accumulator[0] + value[1], accumulator[1] + value[0])

    def get_result(self, accumulator):
        return accumulator

    def merge(self, a, b):
        return (a[0] + b[0], a[1] + b[1])


def sessions(env):
    gap = EventTimeSessionWindows.with_gap(Time.milliseconds(65))
    stream = numbers(env).filter(lambda x: x % 20 < 12).key_by(lambda x: x % 2, Types.LONG())
    return stream.map(lambda x: (x, 1)).key_by(lambda p: p[0] % 2).window(gap).aggregate(Mean())


JOBS = {"count": count, "alarms": alarms, "sums": sums, "sessions": sessions}


class Runs:
    """Runs of one job, each from where the last one was, that write into one file."""

    def __init__(self, make_env, folder):
        self.make_env = make_env
        self.folder = folder
        self.out = folder / "out"
        self.checkpoints = folder / "checkpoints"

    def newest(self):
        names = (f.name for f in (self.checkpoints / "job").glob("chk-*[0-9]"))
        return max((int(name[4:]) for name in names), default=0)

    def start(self, build, parallelism, path="latest", **settings):
        settings = {
            "execution.checkpointing.interval": "20 ms",
            "execution.checkpointing.dir": str(self.checkpoints),
            "pipeline.watermark-per-record": "true",
            **({PATH: str(path)} if path else {}),
            **{key.replace("__", "-").replace("_", "."): value for key, value in settings.items()},
        }
        env = self.make_env(parallelism, **settings)
        build(env).add_sink(Lines(self.out)).set_parallelism(1)
        return env.execute_async("job")

    def until_checkpoint(self, *arguments, more=2, **settings):
        """Runs until so many more checkpoints are complete, or the end; True at the end."""
        before = self.newest()
        client = self.start(*arguments, **settings)
        end = time.monotonic() + 30
        while (
            self.newest() < before + more and client.get_job_status().result() == JobStatus.RUNNING
        ):
            assert time.monotonic() < end
            time.sleep(0.002)
        client.cancel().result()
        try:
            client.get_job_execution_result().result()
        except JobCancelled:
            return False
        return True

    def finish(self, *arguments, **settings):
        client = self.start(*arguments, **settings)
        client.get_job_execution_result().result()
        assert client.get_job_status().result() == JobStatus.FINISHED

    def lines(self):
        return set(self.out.read_text().splitlines())


@pytest.fixture
def runs(make_env, tmp_path):
    return Runs(make_env, tmp_path)


# --- another parallelism, another mode ------------------------------------------------------------


@pytest.mark.parametrize("name", JOBS)
def test_job_goes_on_with_another_parallelism_and_in_the_other_mode(name, make_env, tmp_path, mode):
    job = JOBS[name]
    plain = Runs(make_env, tmp_path / "plain")
    plain.folder.mkdir()
    plain.finish(job, 1, path=None)
    runs = Runs(make_env, tmp_path)
    other = {"thread": "process", "process": "thread"}[mode]
    key = {"python_execution__mode": other}
    stops = [runs.until_checkpoint(job, p) for p in (1, 2, 3)]
    stops.append(runs.until_checkpoint(job, 1, **key))
    assert not stops[0]
    runs.finish(job, 1)
    assert runs.lines() == plain.lines()


def test_finished_job_does_nothing_more(runs, caplog):
    runs.finish(count, 2)
    before = runs.out.read_text()
    runs.finish(count, 2)
    assert runs.out.read_text() == before
    assert "had finished with this checkpoint; there is nothing to do" in caplog.text


# --- classes of the program --------------------------------------------------------------------

SLOTTED = """
import sys
from pyflink.common import Configuration, Types
from pyflink.datastream import KeyedProcessFunction, StreamExecutionEnvironment
from pyflink.datastream.state import ValueStateDescriptor

class Tally:
    __slots__ = ("n",)

    def __init__(self):
        self.n = 0

class Count(KeyedProcessFunction):
    def open(self, context):
        self.tally = context.get_state(ValueStateDescriptor("tally", Types.PICKLED_BYTE_ARRAY()))

    def process_element(self, value, context):
        tally = self.tally.value() or Tally()
        assert type(tally) is Tally and not hasattr(tally, "__dict__")
        tally.n += 1
        self.tally.update(tally)
        yield tally.n

folder, path = sys.argv[1], sys.argv[2:]
configuration = Configuration()
if path:
    configuration.set_string("execution.state-recovery.path", path[0])
env = StreamExecutionEnvironment.get_execution_environment(configuration)
env.set_parallelism(1)
ones = env.from_collection([1] * 300000).uid("ones")
counted = ones.key_by(lambda x: 0).process(Count()).uid("count")
"""


STOP = """
job = env.execute_async("slots")
while not any(r["metrics"]["numRecordsOut"] for r in job.get_metrics().result()):
    pass
print(job.stop_with_savepoint(False, folder).result())
"""


def test_objects_with_slots_go_on_in_the_other_mode(leat_run, tmp_path, mode):
    """Their classes, too, are the same ones in workers and in the main process."""
    done = leat_run(SLOTTED + STOP, str(tmp_path))
    assert done.returncode == 0, done.stderr
    other = {"thread": "process", "process": "thread"}[mode]
    done = leat_run(
        SLOTTED + "counted.print()\nenv.execute('slots')\n",
        str(tmp_path),
        done.stdout.split()[-1],
        settings=(f"python.execution-mode={other}",),
    )
    assert done.returncode == 0, done.stderr
    first, *_ = map(int, done.stdout.split())
    assert first > 1


# --- snapshots of released formats ------------------------------------------------------------

DATA = Path(__file__).resolve().parents[2] / "data" / "snapshots"


def from_file(env):
    """What a file says, from where it was read to. The path is part of the state."""
    lines = env.read_text_file("tests/data/snapshots/numbers.txt").set_parallelism(1)
    numbered = lines.map(lambda s: slowly(int(s)), Types.LONG()).set_parallelism(1)
    return numbered.key_by(lambda x: x % 3, Types.LONG()).reduce(lambda a, b: a + b).uid("sums")


KEPT = {"alarms": alarms, "sums": sums, "from_file": from_file}


def keep(make_env, folder):
    """What tests/data/make_snapshots.py does: stops each job and keeps its newest checkpoint."""
    for name, job in KEPT.items():
        runs = Runs(make_env, folder / name)
        runs.folder.mkdir(parents=True)
        assert not runs.until_checkpoint(job, 2, more=7)
        shutil.move(runs.checkpoints / "job" / f"chk-{runs.newest()}", runs.folder / "checkpoint")
        shutil.rmtree(runs.checkpoints)


@pytest.mark.parametrize("name", KEPT)
@pytest.mark.parametrize("version", [1, 2, 3])
def test_snapshots_of_released_formats_are_restored(version, name, make_env, tmp_path, monkeypatch):
    monkeypatch.chdir(DATA.parents[2])
    kept = tmp_path / "kept"
    shutil.copytree(DATA / f"format-{version}" / name, kept)  # whose files are ours then
    plain = Runs(make_env, tmp_path / "plain")
    plain.folder.mkdir()
    plain.finish(KEPT[name], 1, path=None)
    runs = Runs(make_env, kept)
    runs.finish(KEPT[name], 3, path=kept / "checkpoint")
    assert runs.lines() == plain.lines()


# --- refusals -------------------------------------------------------------------------------------


def refusal(runs, job=count, parallelism=1, **settings):
    """What is said when the job is started."""
    with pytest.raises(RestoreError) as e:
        runs.finish(job, parallelism, **settings)
    return str(e.value)


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)


def test_damaged_newest_checkpoint_is_named_and_an_older_one_offered(runs, caplog):
    keep = {"execution_checkpointing_num__retained": "20"}
    assert not runs.until_checkpoint(count, 1, **keep)
    job = runs.checkpoints / "job"
    newest = runs.newest()
    older = max(int(f.name[4:]) for f in job.glob("chk-*[0-9]") if f.name != f"chk-{newest}")
    flip(job / f"chk-{newest}" / "task-0")
    text = refusal(runs, **keep)
    assert f"chk-{newest}/task-0: " in text
    assert f"chk-{older}: --allow-older starts from it" in text
    runs.finish(count, 2, execution_state__recovery_allow__older="true", **keep)
    assert f"the job starts from {job}/chk-{older}" in caplog.text
    assert {f"({k}, {n})" for k in range(7) for n in range(1, RECORDS // 7)} <= runs.lines()


def test_older_checkpoint_is_taken_only_where_told(runs):
    keep = {"execution_checkpointing_num__retained": "20"}
    assert not runs.until_checkpoint(count, 1, **keep)
    older = min((runs.checkpoints / "job").glob("chk-*[0-9]"), key=lambda f: int(f.name[4:]))
    text = refusal(runs, path=older, **keep)
    assert "it is older (number " in text
    assert "--allow-older" in text
    runs.finish(count, 1, path=older / "_metadata", execution_state__recovery_allow__older="true")


def test_checkpoint_of_another_job_lists_both_sides(runs):
    assert not runs.until_checkpoint(count, 1)
    text = refusal(runs, alarms)
    assert "it is of job 'job' and has operators that this job does not have: 'counts' (" in text
    assert "only this job has: " in text
    assert "'alarms' (" in text
    runs.finish(alarms, 1, execution_state__recovery_ignore__unclaimed__state="true")


def test_state_of_another_type_is_named(runs):
    assert not runs.until_checkpoint(alarms, 1)

    class Others(Alarms):
        def open(self, runtime_context):
            self.seen = runtime_context.get_state(ValueStateDescriptor("seen", Types.STRING()))

    text = refusal(runs, lambda env: pairs(env).process(Others(), Types.STRING()).uid("alarms"))
    assert "the state 'seen' was a value state of " in text
    assert "of LONG when" in text
    assert "restarted" not in text  # although the job has a restart strategy
    assert "STRING" in text


def test_keys_of_another_type_are_named(runs):
    def counted(key, kind):
        return lambda env: (
            numbers(env).key_by(key, kind).reduce(lambda a, b: a + b).uid("sums").name("sums")
        )

    assert not runs.until_checkpoint(counted(lambda x: x % 7, Types.LONG()), 1)
    text = refusal(runs, counted(lambda x: str(x % 7), Types.STRING()), 2)
    assert text.startswith("sums (")
    assert "its keys were of type LONG when the snapshot was made, and are of type STRING" in text
    runs.finish(counted(lambda x: x % 7, Types.INT()), 2)  # whose keys look the same


class Meet(ProcessJoinFunction):
    def process_element(self, left, right, ctx):
        yield f"{left} {right}"


FOLDS = {
    "reduce": lambda keyed: keyed.reduce(lambda a, b: b),
    "sum": lambda keyed: keyed.sum(1),
    "join": lambda keyed: (
        keyed.interval_join(keyed)
        .between(Time.milliseconds(-9), Time.milliseconds(9))
        .process(Meet(), output_type=Types.STRING())
    ),
}


@pytest.mark.parametrize("fold", FOLDS)
def test_values_of_another_type_are_named(runs, fold):
    def folded(kind):
        def build(env):
            typed = numbers(env).map(lambda x: (x % 7, kind(x)), TYPES[kind]).set_parallelism(1)
            return FOLDS[fold](typed.key_by(lambda p: p[0], Types.LONG())).uid("f").name("folded")

        return build

    assert not runs.until_checkpoint(folded(int), 1)
    text = refusal(runs, folded(float), 2)
    assert text.startswith("folded (")
    assert "TUPLE<LONG,LONG> when the snapshot was made, and is a " in text
    assert "TUPLE<LONG,DOUBLE> now" in text
    runs.finish(folded(int), 2)


TYPES = {
    int: Types.TUPLE([Types.LONG(), Types.LONG()]),
    float: Types.TUPLE([Types.LONG(), Types.DOUBLE()]),
}


class AtTheEnd(Trigger):
    """As the default, but one of the user's."""

    def on_element(self, element, timestamp, window, ctx):
        ctx.register_event_time_timer(window.max_timestamp())
        return TriggerResult.CONTINUE

    def on_processing_time(self, time, window, ctx):
        return TriggerResult.CONTINUE

    def on_event_time(self, time, window, ctx):
        return TriggerResult.FIRE

    def on_merge(self, window, ctx):
        pass

    def clear(self, window, ctx):
        pass


class Hasty(AtTheEnd):
    def on_element(self, element, timestamp, window, ctx):
        super().on_element(element, timestamp, window, ctx)
        return TriggerResult.FIRE


def test_another_trigger_of_the_users_is_named(runs):
    def windows(trigger):
        window = TumblingEventTimeWindows.of(Time.milliseconds(400))
        return lambda env: pairs(env).window(window).trigger(trigger).sum(1).uid("windows")

    assert not runs.until_checkpoint(windows(AtTheEnd()), 1)
    text = refusal(runs, windows(Hasty()))
    assert "the trigger's class of its windows changed: 'AtTheEnd' when the snapshot was" in text
    assert "'Hasty' now" in text
    runs.finish(windows(AtTheEnd()), 2)


class Expiring(KeyedProcessFunction):
    """Numbers the records of a key in a state of this kind, with or without a time to live."""

    def __init__(self, kind, expires):
        self.kind, self.expires = kind, expires

    def open(self, runtime_context):
        ttl = StateTtlConfig.new_builder(Time.hours(1)).build()
        if self.kind == "value":
            descriptor = ValueStateDescriptor("n", Types.TUPLE([Types.LONG(), Types.LONG()]))
        elif self.kind == "list":
            descriptor = ListStateDescriptor("n", Types.LONG())
        else:
            descriptor = MapStateDescriptor("n", Types.LONG(), Types.LONG())
        if self.expires:
            descriptor.enable_time_to_live(ttl)
        ask = {"value": "get_state", "list": "get_list_state", "map": "get_map_state"}[self.kind]
        self.n = getattr(runtime_context, ask)(descriptor)

    def process_element(self, value, ctx):
        if self.kind == "value":
            n = (self.n.value() or (0, 0))[0] + 1
            self.n.update((n, 0))
        elif self.kind == "list":
            self.n.add(1)
            n = len(list(self.n.get()))
        else:
            n = (self.n.get(0) or 0) + 1
            self.n.put(0, n)
        yield f"{value[0]}: {n}"


@pytest.mark.parametrize("kind", ["value", "list", "map"])
@pytest.mark.parametrize("expires", [True, False])
def test_state_that_expires_now_or_no_more_is_named(runs, kind, expires):
    """Such a state has other things in its cells than one that does not."""

    def numbered(expires):
        return lambda env: pairs(env).process(Expiring(kind, expires), Types.STRING()).uid("n")

    assert not runs.until_checkpoint(numbered(expires), 1)
    text = refusal(runs, numbered(not expires))
    then = "expired" if expires else "did not expire"
    now = "does not" if expires else "does"
    assert f"the state 'n' {then} when the snapshot was made (time to live), and {now} now" in text
    runs.finish(numbered(expires), 2)
    assert len(set(runs.lines())) == RECORDS


class Mergeable(Mean):
    mergeable = True


def test_windows_of_another_layout_are_refused(runs):
    def windows(mean):
        window = SlidingEventTimeWindows.of(Time.milliseconds(400), Time.milliseconds(100))
        return lambda env: pairs(env).window(window).aggregate(mean).uid("windows")

    assert not runs.until_checkpoint(windows(Mergeable()), 1)
    assert "the slices of its windows changed: " in refusal(runs, windows(Mean()))
    runs.finish(windows(Mergeable()), 2)


def test_nothing_there_is_a_refusal_and_latest_starts_afresh(runs, tmp_path, caplog):
    text = refusal(runs, path=tmp_path / "none")
    assert f"{tmp_path}/none: there is no such folder" in text
    runs.finish(count, 1)
    assert "there is no checkpoint of this job yet; it starts afresh" in caplog.text


def test_latest_without_a_folder_says_which_setting_is_missing(runs, caplog):
    runs.finish(count, 1, execution_checkpointing_dir="")
    assert "execution.checkpointing.dir: it is not set, so there is no checkpoint" in caplog.text


def test_paths_that_are_no_checkpoint_say_what_they_are(runs, tmp_path):
    assert not runs.until_checkpoint(count, 1)
    job, newest = runs.checkpoints / "job", runs.newest()
    assert f"{job}: it is the folder of a job; its newest checkpoint is {job}/chk-{newest}" in (
        refusal(runs, path=job)
    )
    assert f"{tmp_path}: it is no complete checkpoint" in refusal(runs, path=tmp_path)
    file = job / f"chk-{newest}" / "_metadata.old"
    assert "there is no such folder" in refusal(runs, path=file)
    assert "it is a file, and not the folder" in refusal(runs, path=job / "lock")
    assert "Leat reads and writes files of this machine, and not 's3://'" in (
        refusal(runs, path="s3://bucket/chk-1")
    )


def test_what_a_former_run_left_is_mentioned_by_one_that_starts_afresh(runs, caplog):
    assert not runs.until_checkpoint(count, 1)
    left = f"chk-{runs.newest()}: it is from a former run, and this one starts afresh"
    caplog.clear()
    runs.finish(count, 1, path=None)
    assert left in caplog.text
    caplog.clear()
    runs.finish(count, 1, path=None)  # what has finished is left behind without a word
    assert "former run" not in caplog.text


@pytest.mark.parametrize("folder", ["hdfs://name/checkpoints", "file://host/checkpoints"])
def test_checkpoints_elsewhere_are_refused_when_the_job_starts(runs, folder):
    runs.checkpoints = folder
    with pytest.raises(NotSupportedError, match=folder):
        runs.start(count, 1, path=None)


# --- the launcher ---------------------------------------------------------------------------------

SCRIPT = """
import sys
from pyflink.common import Types
from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
stream = env.from_collection([1, 2, 3], Types.LONG()).key_by(lambda x: x % 2, Types.LONG())
stream.reduce(lambda a, b: a + b).uid("sums").print()
env.execute("three")
"""


def launch(folder, mode, *options):
    command = [sys.executable, "-m", "leat", "run", "-D", f"python.execution-mode={mode}"]
    command += ["-D", "execution.checkpointing.interval=1 h"]
    command += ["-D", f"execution.checkpointing.dir={folder}", *options, str(folder / "three.py")]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_launcher_options_and_exit_codes(tmp_path, mode):
    (tmp_path / "three.py").write_text(SCRIPT)
    first = launch(tmp_path, mode, "-s", "latest")
    assert first.returncode == 0, first.stderr
    assert "it starts afresh" in first.stderr
    again = launch(tmp_path, mode, "--fromSavepoint=latest")
    assert (again.returncode, again.stdout) == (0, "")
    assert "there is nothing to do" in again.stderr
    (checkpoint,) = (tmp_path / "three").glob("chk-*[0-9]")
    flip(checkpoint / "task-0")
    bad = launch(tmp_path, mode, "-s", str(checkpoint), "-n", "--allow-older")
    assert bad.returncode == 3
    assert f"{checkpoint}/task-0: " in bad.stderr
    none = launch(tmp_path, mode, "-s")
    assert none.returncode == 2


def look(verb, path, *options):
    command = [sys.executable, "-m", "leat", "checkpoint", verb, *options, str(path)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_inspect_shows_what_a_checkpoint_has(runs):
    assert not runs.until_checkpoint(alarms, 2)
    folder = runs.checkpoints / "job" / f"chk-{runs.newest()}"
    got = json.loads(look("inspect", folder, "--json").stdout)
    assert (got["job"], got["kind"], got["finished"]) == ("job", "checkpoint", False)
    (operator,) = [o for o in got["operators"] if o["id"] == "alarms"]
    assert (operator["parallelism"], operator["max_parallelism"]) == (2, 128)
    states = {p["name"]: p for p in operator["parts"] if p["part"] == "state"}
    assert states["seen"]["kind"] == "value"
    assert states["seen"]["of"] == "function"
    assert 0 < states["seen"]["entries"] <= 7  # keys that have come so far
    assert "\nalarms (" in look("inspect", folder).stdout
    flip(folder / "task-0")
    damaged = look("inspect", folder / "_metadata")
    assert (damaged.returncode, damaged.stdout) == (1, "")
    assert f"leat: {folder}/task-0: " in damaged.stderr
    listed = json.loads(look("list", folder.parent, "--json").stdout)
    assert [c["damaged"] is None for c in listed if c["path"] == str(folder)] == [False]
