"""Manners inside the interpreter: the collector, references, threads, the end."""

import gc
import subprocess
import sys
import threading

import pytest
from leat import jobs

pytestmark = pytest.mark.quick


class Counted:
    alive = 0

    def __new__(cls):  # also when a copy is unpickled
        Counted.alive += 1
        return super().__new__(cls)

    def __del__(self):
        Counted.alive -= 1


@pytest.fixture
def counting():
    """The count of objects that a job makes, by a class that every function finds by name."""
    import builtins

    builtins.leat_counted = Counted
    Counted.alive = 0
    yield Counted
    del builtins.leat_counted


def test_objects_are_given_back(thread_env, counting, results):
    env = thread_env
    env.set_parallelism(2)
    stream = env.from_collection(range(1000)).map(lambda x: [leat_counted(), x])  # noqa: F821
    stream = stream.rebalance().flat_map(lambda o: (o for _ in range(2))).map(lambda o: o[1])
    assert len(results(stream)) == 2000
    gc.collect()
    assert counting.alive == 0


def test_objects_of_a_failed_job_are_given_back(thread_env, counting):
    def fail_late(o):
        if o[1] == 500:
            raise ValueError("late")
        return o

    stream = thread_env.from_collection(range(1000)).map(
        lambda x: [leat_counted(), x]  # noqa: F821
    )
    stream = stream.key_by(lambda o: o[1] % 7).reduce(lambda a, b: b).map(fail_late)
    stream.filter(lambda o: False).print()
    with pytest.raises(Exception, match="late"):
        thread_env.execute("late")
    jobs._started.clear()  # what channels still hold goes with the job
    gc.collect()
    assert counting.alive == 0


@pytest.mark.parametrize("enabled", [True, False])
def test_collector_is_as_before(thread_env, results, enabled):
    was = gc.isenabled()
    try:
        (gc.enable if enabled else gc.disable)()
        assert results(thread_env.from_collection([1]).map(lambda x: x)) == [1]
        assert gc.isenabled() == enabled
    finally:
        (gc.enable if was else gc.disable)()


def test_cycles_are_collected_while_a_job_runs(thread_env, counting, results):
    def cycle(x):
        o = leat_counted()  # noqa: F821
        o.self = o
        return leat_counted.alive  # noqa: F821

    assert max(results(thread_env.from_collection(range(200_000)).map(cycle))) < 150_000


def test_results_can_be_taken_by_another_thread(thread_env):
    found = []
    stream = thread_env.from_collection(range(100)).map(lambda x: x)
    iterator = stream.execute_and_collect("other")
    thread = threading.Thread(target=lambda: found.extend(iterator))
    thread.start()
    thread.join(30)
    assert found == list(range(100))


ENDLESS = """
from leat.common import Configuration
from leat.datastream import StreamExecutionEnvironment
from leat.datastream.functions import SourceFunction

class Endless(SourceFunction):
    def run(self, ctx):
        while True:
            ctx.collect(1)

configuration = Configuration()
configuration.set_string("python.execution-mode", "thread")
env = StreamExecutionEnvironment.get_execution_environment(configuration)
env.set_parallelism(1)
print(next(env.add_source(Endless()).map(lambda x: x + 1).execute_and_collect("endless")))
"""

INTERRUPTED = ENDLESS.replace(
    "print(next",
    """
import os, signal, threading
threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
env.add_source(Endless()).filter(lambda x: False).print()
try:
    env.execute("endless")
except KeyboardInterrupt:
    print("interrupted")
raise SystemExit
print(next""",
)


@pytest.mark.parametrize(("script", "said"), [(ENDLESS, "2"), (INTERRUPTED, "interrupted")])
def test_program_ends_while_its_job_runs(tmp_path, script, said):
    import os
    from pathlib import Path

    import leat

    path = tmp_path / "program.py"
    path.write_text(script)
    environ = {**os.environ, "PYTHONPATH": str(Path(leat.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, str(path)],
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.strip() == said, done.stderr
    assert done.returncode == 0, done.stderr
