"""Jobs are looked at and ended from another terminal, and tell how they stand on their own."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import environment, leat_command

SECONDS = 30

RUNNING = """
import os, sys, time
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.functions import SourceFunction

class Ticks(SourceFunction):
    def __init__(self):
        self.on = True

    def run(self, ctx):
        i = 0
        while self.on:
            ctx.collect(i)
            i += 1
            time.sleep(0.002)

    def cancel(self):
        self.on = False

env = StreamExecutionEnvironment.get_execution_environment().set_parallelism(1)
ticks = env.add_source(Ticks()).map(lambda x: x + 1).name("Add one")
"""
SILENT = RUNNING + "ticks.filter(lambda x: False).print()\n"


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    """The jobs of each test are alone."""
    folder = tmp_path / "run"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    return folder / "leat"


def ask(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "leat", *arguments],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def jobs():
    return json.loads(ask("list", "--json").stdout)


def wait_for(condition):
    end = time.monotonic() + SECONDS
    while not (found := condition()):
        assert time.monotonic() < end
        time.sleep(0.02)
    return found


def wait_for_records(name):
    """Until half a second has passed there is no rate."""
    return wait_for(lambda: [j for j in jobs() if j["name"] == name and j["records_per_second"]])[0]


def test_job_is_listed_looked_at_and_cancelled(leat_start, mode, own_folder):
    child = leat_start(SILENT + "env.execute('slow job')\n")
    job = wait_for_records("slow job")
    assert job["pid"] == child.pid
    assert job["state"] == "RUNNING"
    assert job["attempt"] == 0
    assert job["workers"] == (mode == "process")
    assert job["records"] > 5
    assert abs(job["started_ms"] + job["runtime_ms"] - time.time() * 1000) < 10_000
    assert own_folder.stat().st_mode & 0o777 == 0o700
    (socket,) = own_folder.iterdir()
    assert socket.name == f"{child.pid}-{job['id']}.sock"

    table = ask("list").stdout.splitlines()
    assert table[0].split() == ["JOB", "PROCESS", "STATE", "RUNNING", "RECORDS", "NAME"]
    assert table[1].startswith(job["id"][:12])
    assert table[1].endswith("slow job")
    status = ask("status", job["id"][:6]).stdout
    assert status.startswith("slow job: RUNNING after ")
    assert re.search(r"\n  Add one \(1/1\): \d+ records in, \d+ out\n", status)
    whole = json.loads(ask("status", "--json", "slow job").stdout)
    assert whole["id"] == job["id"]
    (adding,) = [o for o in whole["operators"] if o["operator"] == "Add one"]
    assert adding["metrics"]["numRecordsIn"] > 5

    cancelled = ask("cancel", "slow job", "--json")
    assert json.loads(cancelled.stdout)["state"] == "CANCELED"
    assert child.communicate(timeout=SECONDS)[1] == "leat: slow job: the job was cancelled\n"
    assert child.returncode == 130
    assert ask("list").stdout == "no job listens\n"
    gone = ask("cancel", "slow job")
    assert gone.returncode == 1
    assert gone.stderr.startswith("leat: slow job: no job of that name or id listens")


def test_several_jobs_of_one_process(leat_start):
    script = SILENT + "env.execute_async('one')\n"
    script += "env.from_collection([1]).print()\nenv.execute_async('short')\n"
    script += "env.add_source(Ticks()).filter(lambda x: False).print()\nenv.execute_async('two')\n"
    child = leat_start(script)
    wait_for_records("one")
    ids = [json.loads(ask("status", "--json", n).stdout)["operators"] for n in ("one", "two")]
    assert {o["id"] for o in ids[0]}.isdisjoint(o["id"] for o in ids[1])
    wait_for_records("two")
    wait_for(lambda: {j["name"] for j in jobs()} == {"one", "two"})
    assert ask("cancel", "two").returncode == 0
    assert [j["name"] for j in jobs()] == ["one"]
    assert ask("cancel", "one").returncode == 0
    said = child.communicate(timeout=SECONDS)[1]
    assert sorted(said.splitlines()) == [
        f"leat: {n}: the job was cancelled" for n in ("one", "two")
    ]
    assert child.returncode == 130


@pytest.mark.parametrize(
    ("then", "code"),
    [
        ("client.cancel().result()", 0),  # the script's own wish
        ("client.get_job_execution_result().exception()", 0),  # it was told
        ("while not client.get_job_execution_result().done(): time.sleep(0.01)", 130),
        ("client.get_job_execution_result().result()", 130),
        ("sys.exit(7)", 7),  # the script's own word counts
    ],
)
def test_exit_code_of_a_script_whose_job_was_cancelled(leat_start, then, code):
    child = leat_start(SILENT + f"client = env.execute_async('one')\n{then}\n")
    if not then.startswith("client.cancel"):
        wait_for(lambda: [j["name"] for j in jobs()] == ["one"])
        assert ask("cancel", "one").returncode == 0
    said = child.communicate(timeout=SECONDS)[1]
    assert child.returncode == code
    assert said == ("leat: one: the job was cancelled\n" if code else "")


def test_job_that_has_failed_before_the_script_ends_is_told(leat_start):
    script = RUNNING + "ticks.map(lambda x: 1 // 0).print()\nclient = env.execute_async('bad')\n"
    script += "while client.get_job_status().result().name != 'FAILED': time.sleep(0.01)\n"
    child = leat_start(script)
    assert "ZeroDivisionError" in child.communicate(timeout=SECONDS)[1]
    assert child.returncode == 1


def test_job_outside_of_the_launcher_listens_when_it_is_told(make_env):
    for setting, names in ({}, []), ({"job.control": "on"}, ["quiet"]):
        env = make_env(**setting)
        env.from_collection([1]).map(lambda x: time.sleep(0.8) or x).print()
        client = env.execute_async("quiet")
        assert [j["name"] for j in jobs()] == names
        client.get_job_execution_result().result()


def test_job_of_the_launcher_keeps_quiet_when_it_is_told(leat_start, own_folder):
    child = leat_start(
        SILENT.replace(
            "set_parallelism(1)",
            "set_parallelism(1)\nenv._engine.set('job.control', 'off')\nprint('up', flush=True)",
        )
        + "env.execute('x')\n"
    )
    assert child.stdout.readline() == "up\n"
    child.send_signal(signal.SIGTERM)
    assert child.wait(SECONDS) == 143
    assert not own_folder.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["list", "x"], "list takes no JOB"),
        (["status"], "status: one JOB is needed"),
        (["cancel", "a", "b"], "cancel: one JOB is needed"),
        (["savepoint", "a", "b", "c"], "and a folder at most"),
        (["cancel", "--drain", "a"], "there is no option '--drain'"),
        (["cancel", "--now", "a"], "there is no option '--now'"),
        (["status", "--timeout", "soon", "a"], "--timeout: a number of SECONDS"),
    ],
)
def test_wrong_use_is_told(arguments, said):
    done = ask(*arguments)
    assert done.returncode == 2
    assert said in done.stderr


SAVED = """
import time
from pyflink.common import Configuration, Types, WatermarkStrategy
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.connectors.number_seq import NumberSequenceSource
from pyflink.datastream.functions import KeyedProcessFunction
from pyflink.datastream.state import ValueStateDescriptor

class Count(KeyedProcessFunction):
    def open(self, context):
        self.seen = context.get_state(ValueStateDescriptor("seen", Types.LONG()))

    def process_element(self, value, ctx):
        time.sleep(0.001)
        self.seen.update((self.seen.value() or 0) + 1)
        if value == 3000:
            yield self.seen.value()

settings = Configuration()
settings.set_string("pipeline.channel.capacity", "4")
env = StreamExecutionEnvironment.get_execution_environment(settings).set_parallelism(1)
numbers = env.from_source(NumberSequenceSource(1, 3000), WatermarkStrategy.no_watermarks(), "n")
numbers.key_by(lambda v: 1).process(Count()).print()
env.execute("count")
"""


def test_savepoints_and_stop(leat_start, leat_run, mode, tmp_path):
    child = leat_start(SAVED)
    wait_for_records("count")
    assert json.loads(ask("status", "--json", "count").stdout)["checkpoints"] == {
        "totalNumberOfCheckpoints": 0,
        "numberOfInProgressCheckpoints": 0,
        "numberOfCompletedCheckpoints": 0,
        "numberOfFailedCheckpoints": 0,
        "lastCheckpointRestoreTimestamp": -1,
        "lastCompletedCheckpointId": -1,
        "lastCheckpointCompletedTimestamp": -1,
        "lastCheckpointDuration": -1,
        "lastCheckpointSize": -1,
        "lastCheckpointExternalPath": None,
    }
    made = ask("savepoint", "count", str(tmp_path / "kept"))
    line = r"\n  checkpoints: 1 complete, 0 failed, 0 in progress\n"
    line += r"  the last one: 1, \d+ s ago, in \d+ ms, \d+ bytes: .*/kept/savepoint-"
    assert re.search(line, ask("status", "count").stdout)
    assert re.search(r"\n  savepoint: (.*/kept/savepoint-.*)\n", made.stdout), made.stderr
    stopped = ask("stop", "--json", "count", str(tmp_path / "last"))
    job = json.loads(stopped.stdout)
    assert job["state"] == "FINISHED"
    assert Path(job["savepoint"]).parent == tmp_path / "last"
    assert child.wait(SECONDS) == 0
    assert child.stdout.read() == ""
    done = leat_run(SAVED, settings=(f"execution.state-recovery.path={job['savepoint']}",))
    assert (done.returncode, done.stdout) == (0, "3000\n"), done.stderr


def test_savepoint_that_is_refused_says_why(leat_start):
    child = leat_start(SILENT + "env.execute('x')\n")
    wait_for(jobs)
    refused = ask("savepoint", "x")
    assert refused.returncode == 1
    assert "there is no folder for savepoints; give one" in refused.stderr
    child.send_signal(signal.SIGTERM)
    assert child.wait(SECONDS) == 143


# --- the status line ------------------------------------------------------------------------------


def on_terminal(mode, folder, script, *options, until):
    """Runs a script whose streams are a terminal; what was written until `until` was there."""
    command = leat_command(mode, script, folder)
    command[4:4] = options
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(folder)
        os.execve(sys.executable, command, environment(TERM="xterm"))
    written = b""
    signalled = False
    end = time.monotonic() + SECONDS
    while True:
        assert time.monotonic() < end, written
        readable, _, _ = select.select([terminal], [], [], 0.2)
        try:
            piece = os.read(terminal, 65536) if readable else b""
        except OSError:  # nobody has it any more
            break
        if readable and not piece:
            break
        written += piece
        if not signalled and re.search(until, written):
            signalled = True
            os.kill(child, signal.SIGINT)
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), written.decode()


CLEAR = "\r\033[K"


def shown(written):
    """What the terminal shows at the end: a line drawn over loses to the one that came later."""
    return [line.rsplit(CLEAR, 1)[-1] for line in written.replace("\r\n", "\n").split("\n")]


def test_status_line_on_a_terminal(mode, tmp_path):
    script = RUNNING + "ticks.filter(lambda x: x % 700 == 0).print()\nenv.execute('drawn')\n"
    line = rb"drawn: RUNNING, \d+ s, [1-9]\d* records, [1-9]\d*/s"
    code, written = on_terminal(mode, tmp_path, script, until=line + rb"(?s:.*)\n(?s:.*)" + line)
    assert code == 130
    lines = shown(written)
    assert "700" in lines  # whole, on a line of its own
    assert not any("drawn: " in line for line in lines)


def test_status_line_tells_of_checkpoints(mode, tmp_path):
    script = RUNNING.replace(
        ".set_parallelism(1)", ".set_parallelism(1)\nenv.enable_checkpointing(50)"
    )
    script += "ticks.filter(lambda x: False).print()\nenv.execute('drawn')\n"
    line = rb"drawn: RUNNING, \d+ s, \d+ records, \d+/s, checkpoint [1-9]\d* 0 s ago"
    assert on_terminal(mode, tmp_path, script, until=line)[0] == 130


def test_prints_of_functions_take_the_line_away(mode, tmp_path):
    script = RUNNING.replace("lambda x: x + 1", "lambda x: print('saw', x) or x")
    script = script.replace("print('saw', x)", "(x % 700 or print('saw', x))")
    script += "ticks.filter(lambda x: False).print()\nenv.execute('drawn')\n"
    code, written = on_terminal(mode, tmp_path, script, until=rb"drawn: (?s:.*)saw 700\r\n")
    assert code == 130
    assert "saw 700" in shown(written)


def test_quiet_draws_nothing(mode, tmp_path):
    script = RUNNING + "ticks.filter(lambda x: x % 700 == 0).print()\nenv.execute('drawn')\n"
    for option in ("--quiet", "-Djob.status-line=off"):
        code, written = on_terminal(mode, tmp_path, script, option, until=rb"700\r\n")
        assert code == 130
        assert "\033" not in written


def test_no_status_line_without_a_terminal(leat_start):
    child = leat_start(SILENT + "env.execute('drawn')\n")
    wait_for(lambda: any(j["runtime_ms"] > 1500 for j in jobs()))
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=SECONDS)
    assert out == ""
    assert err in ("", "leat: cancelling; once more kills\n")  # where it ends at once, nobody waits


# --- the log --------------------------------------------------------------------------------------


def test_the_log_tells_a_jobs_life(leat_run, mode):
    script = """
import logging, sys
from pyflink.datastream import StreamExecutionEnvironment
logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
env = StreamExecutionEnvironment.get_execution_environment().set_parallelism(1)
env.from_collection([1]).map(lambda x: x).print()
env.execute("good")
env.from_collection([0]).map(lambda x: 1 // x).name("Divide").print()
try:
    env.execute("bad")
except Exception:
    pass
"""
    done = leat_run(script)
    assert done.returncode == 0, done.stderr
    where = "in this process" if mode == "thread" else "in 1 worker process"
    assert re.search(
        rf"INFO good: job [0-9a-f]{{32}} begins attempt 1: 3 operators in \d tasks?, {where}\n",
        done.stderr,
    ), done.stderr
    assert re.search(r"INFO good: FINISHED after \d+ ms; nothing follows\n", done.stderr)
    failed = r"INFO bad: FAILED after \d+ ms: Divide: ZeroDivisionError: .*; nothing follows\n"
    assert re.search(failed, done.stderr), done.stderr
