"""TwoPhaseCommitSinkFunction: jobs that fail here and there, whose sink shows each record once."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import environment
from job_records import Slow
from leat.common import Types
from leat.common.errors import JobError
from leat.datastream import TwoPhaseCommitSinkFunction

NUMBERS = 400


class Shelf(TwoPhaseCommitSinkFunction):
    """A transaction is a list of numbers and a name; a commit puts a file on the shelf.

    A second commit puts the same file there. Methods named in `fails` (name to how
    often) raise as often, in all attempts and processes.
    """

    def __init__(self, folder, **fails):
        self.folder, self.fails = Path(folder), fails

    def open(self, runtime_context):
        subtask = runtime_context.get_index_of_this_subtask()
        self.name = f"{subtask}-{runtime_context.get_attempt_number()}-{time.monotonic_ns()}"
        self.count = 0

    def note(self, what, name=""):
        with (self.folder / "notes").open("a") as f:
            f.write(f"{what} {name}\n")

    def maybe_fail(self, method):
        for i in range(self.fails.get(method, 0)):
            flag = self.folder / f"{method}-{i}"
            if not flag.exists():
                flag.touch()
                raise OSError(f"{method} failed on purpose")

    def begin_transaction(self):
        self.maybe_fail("begin_transaction")
        self.count += 1
        return {"name": f"{self.name}-{self.count}", "values": []}

    def invoke(self, transaction, value, context):
        transaction["values"].append(value)

    def pre_commit(self, transaction):
        self.maybe_fail("pre_commit")

    def commit(self, transaction):
        self.maybe_fail("commit")
        path = self.folder / "shelf" / transaction["name"]
        hidden = path.with_name(f".{path.name}-{time.monotonic_ns()}")
        hidden.write_text("".join(f"{v}\n" for v in transaction["values"]))
        hidden.replace(path)
        self.maybe_fail("commit_twice")

    def abort(self, transaction):
        self.note("abort", transaction["name"])

    def recover_and_commit(self, transaction):
        self.maybe_fail("recover_and_commit")
        self.note("recovered", transaction["name"])
        super().recover_and_commit(transaction)


def shelf(tmp_path):
    """All numbers that were committed, sorted."""
    files = [f for f in (tmp_path / "shelf").iterdir() if f.name[0] != "."]
    return sorted(int(line) for f in files for line in f.read_text().splitlines())


def notes(tmp_path, what):
    path = tmp_path / "notes"
    lines = path.read_text().splitlines() if path.exists() else []
    return [line.split()[1] for line in lines if line.split()[0] == what]


@pytest.fixture
def restarting(make_env, tmp_path):
    """Makes environments whose jobs take checkpoints and restart."""
    (tmp_path / "shelf").mkdir()

    def make(parallelism=1, **settings):
        given = {
            "execution.checkpointing.interval": "15ms",
            "execution.checkpointing.dir": str(tmp_path / "checkpoints"),
            "restart-strategy.type": "fixed-delay",
            "restart-strategy.fixed-delay.attempts": "8",
            "restart-strategy.fixed-delay.delay": "1ms",
        }
        return make_env(parallelism, **{**given, **settings})

    return make


def numbers(env, tmp_path, *at):
    stream = env.from_collection(list(range(NUMBERS)), Types.LONG()).rebalance()
    return stream.map(Slow(tmp_path, *at), Types.LONG())


@pytest.mark.quick
@pytest.mark.parametrize("execution", ["STREAMING", "BATCH"])
def test_without_checkpoints_all_is_committed_at_the_end(make_env, tmp_path, execution):
    (tmp_path / "shelf").mkdir()
    env = make_env(**{"execution.runtime-mode": execution})
    numbers(env, tmp_path).add_sink(Shelf(tmp_path))
    env.execute()
    assert shelf(tmp_path) == list(range(NUMBERS))
    assert len(list((tmp_path / "shelf").iterdir())) == 1
    assert not (tmp_path / "notes").exists()


def test_without_checkpoints_a_failed_job_commits_nothing(env, tmp_path):
    (tmp_path / "shelf").mkdir()
    numbers(env, tmp_path, NUMBERS - 1).add_sink(Shelf(tmp_path))
    with pytest.raises(JobError, match="tripped"):
        env.execute()
    assert shelf(tmp_path) == []
    assert len(notes(tmp_path, "abort")) == 1


@pytest.mark.parametrize("parallelism", [1, 3])
@pytest.mark.parametrize("seed", [1, 2])
def test_failures_lose_and_double_nothing(restarting, tmp_path, parallelism, seed):
    at = random.Random(seed).sample(range(NUMBERS), 4)
    env = restarting(parallelism)
    numbers(env, tmp_path, *at).add_sink(Shelf(tmp_path))
    env.execute()
    assert len(list(tmp_path.glob("tripped-*"))) == 4
    assert shelf(tmp_path) == list(range(NUMBERS))
    assert notes(tmp_path, "abort")


@pytest.mark.parametrize(
    "method", ["begin_transaction", "pre_commit", "commit", "commit_twice", "recover_and_commit"]
)
def test_a_method_that_fails_fails_the_attempt(restarting, tmp_path, method):
    env = restarting(2)
    fails = {"commit": 1, method: 1} if method == "recover_and_commit" else {method: 2}
    numbers(env, tmp_path).add_sink(Shelf(tmp_path, **fails))
    client = env.execute_async()
    client.get_job_execution_result().result()
    errors = {a["error"] for a in client.get_attempts().result()} - {None}
    assert f"OSError: {method} failed on purpose" in errors
    assert shelf(tmp_path) == list(range(NUMBERS))
    if method.startswith(("commit", "recover")):
        assert notes(tmp_path, "recovered")


def test_pre_commit_that_fails_without_restarts_fails_the_job(env, tmp_path):
    (tmp_path / "shelf").mkdir()
    numbers(env, tmp_path).add_sink(Shelf(tmp_path, pre_commit=1))
    with pytest.raises(JobError, match="pre_commit failed on purpose") as failed:
        env.execute()
    assert isinstance(failed.value.__cause__, OSError)
    assert shelf(tmp_path) == []


def test_another_parallelism_commits_what_waited(restarting, tmp_path):
    settings = {"restart-strategy.type": "none"}
    env = restarting(3, **settings)
    numbers(env, tmp_path).add_sink(Shelf(tmp_path, commit=100)).uid("shelf")
    with pytest.raises(JobError, match="commit failed on purpose"):
        env.execute("rescaled")
    assert shelf(tmp_path) == []
    env = restarting(2, **settings, **{"execution.savepoint.path": "latest"})
    numbers(env, tmp_path).add_sink(Shelf(tmp_path)).uid("shelf")
    env.execute("rescaled")
    assert shelf(tmp_path) == list(range(NUMBERS))
    assert len(notes(tmp_path, "recovered")) >= 1


def test_at_least_once_loses_nothing(restarting, tmp_path):
    env = restarting(2, **{"execution.checkpointing.mode": "AT_LEAST_ONCE"})
    numbers(env, tmp_path, 50, 200).add_sink(Shelf(tmp_path))
    env.execute()
    assert sorted(set(shelf(tmp_path))) == list(range(NUMBERS))


def test_transaction_that_cannot_be_pickled(env, tmp_path):
    class Stuck(Shelf):
        def begin_transaction(self):
            return {"name": (i for i in ()), "values": []}

        def abort(self, transaction):
            pass

    (tmp_path / "shelf").mkdir()
    numbers(env, tmp_path).add_sink(Stuck(tmp_path))
    with pytest.raises(JobError, match="generator"):
        env.execute()


EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "python" / "15_exactly_once_sink.py"


def test_the_example_is_exact_though_it_is_killed(mode, tmp_path):
    options = ("run", "-s", "latest", "-D", f"python.execution-mode={mode}")
    batches, kills = tmp_path / "batches", 0
    while True:
        before = len(list(batches.glob("[!.]*")))
        child = subprocess.Popen(
            [sys.executable, "-m", "leat", *options, str(EXAMPLE), str(tmp_path)],
            env=environment(),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        with child:
            end = time.monotonic() + 60
            while child.poll() is None and time.monotonic() < end:
                time.sleep(0.005)
                if kills < 2 and len(list(batches.glob("[!.]*"))) > before + 1:
                    child.kill()
            printed, said = child.communicate(timeout=20)
        if child.returncode != -signal.SIGKILL:
            break
        kills += 1
    assert child.returncode == 0, said
    assert kills == 2
    assert printed == "1000 numbers, 1000 different ones, 500500 in all\n"
