"""Programs of their own: classes of __main__, modules beside the script, Ctrl-C, how they end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import environment, leat_command

LAUNCHER = Path(sys.executable).with_name("leat")

HEAD = """
import sys, os, time, itertools
from dataclasses import dataclass
from pyflink.common import *
from pyflink.datastream import *
from pyflink.datastream.functions import *
env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(2)
"""

POINTS = (
    HEAD
    + """
@dataclass
class Point:
    x: int
    class Inner:
        def __init__(self, n): self.n = n
        def __eq__(self, other): return type(other) is Point.Inner and self.n == other.n
    made = 0

@dataclass(frozen=True)
class Key:
    name: str

class Mapper(MapFunction):
    def map(self, p):
        assert type(p) is Point and Point.__module__ == "__main__", type(p)
        assert isinstance(p, sys.modules["__main__"].Point)
        return Point(p.x + 1)

def add(a, b):
    return Point(a.x + b.x)

start = [Point(1), Point(2), Point(3)]
points = env.from_collection(start).rebalance().map(Mapper())
summed = points.key_by(lambda p: Key("all")).reduce(add)
with summed.execute_and_collect() as found:
    found = list(found)
assert all(type(p) is Point for p in found), found
assert sorted(p.x for p in found)[-1] == 9
inner = env.from_collection([1, 2]).map(lambda n: Point.Inner(n)).rebalance().map(lambda i: i)
with inner.execute_and_collect() as found:
    assert list(found) in ([Point.Inner(1), Point.Inner(2)], [Point.Inner(2), Point.Inner(1)])
print("fine")
"""
)


@pytest.mark.quick
def test_classes_of_main_are_one_class_everywhere(leat_run):
    done = leat_run(POINTS)
    assert (done.returncode, done.stdout, done.stderr) == (0, "fine\n", "")


def test_classes_of_main_without_the_launcher(mode, tmp_path):
    """As `python script.py` with `import leat.as_pyflink` in it."""
    script = tmp_path / "own.py"
    configure = (
        f"import leat.as_pyflink, leat.settings\n"
        f'leat.settings.overrides = {{"python.execution-mode": "{mode}"}}\n'
    )
    script.write_text(configure + POINTS)
    done = subprocess.run(
        [sys.executable, script],
        check=False,
        capture_output=True,
        text=True,
        env=environment(),
        cwd="/",
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "fine\n", "")


BESIDE = (
    HEAD
    + """
import beside, package.deep
env.add_source(beside.numbers).rebalance().map(beside.Adder(5)).map(package.deep.square).print()
stream = env.from_collection([beside.Thing(1)]).rebalance().map(lambda t: t.next())
stream.map(lambda t: (type(t) is beside.Thing, t.n)).print()
env.execute()
"""
)


@pytest.mark.parametrize("elsewhere", [False, True])
def test_modules_beside_the_script(leat_run, tmp_path, elsewhere):
    (tmp_path / "beside.py").write_text(
        "from pyflink.datastream.functions import MapFunction\n"
        "def numbers():\n    yield from range(3)\n"
        "class Adder(MapFunction):\n"
        "    def __init__(self, by): self.by = by\n"
        "    def map(self, value): return value + self.by\n"
        "class Thing:\n    def __init__(self, n): self.n = n\n"
        "    def next(self): return Thing(self.n + 1)\n"
    )
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("")
    (tmp_path / "package" / "deep.py").write_text("def square(x):\n    return x * x\n")
    done = leat_run(BESIDE, cwd="/" if elsewhere else tmp_path)
    assert done.returncode == 0, done.stderr
    lines = sorted(line.partition("> ")[2] for line in done.stdout.splitlines())
    assert lines == ["(True, 2)", "25", "36", "49"]


def test_file_in_the_folder_does_not_hide_the_library(leat_run, tmp_path):
    for name in ("random", "socket", "pickle", "struct"):
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('the wrong one')\n")
    (tmp_path / "elsewhere").mkdir()
    script = tmp_path / "elsewhere" / "script.py"
    script.write_text(HEAD + "env.from_collection([1]).map(lambda x: x).print()\nenv.execute()\n")
    done = leat_run(script, cwd=tmp_path)
    assert (done.returncode, done.stdout.partition("> ")[2]) == (0, "1\n"), done.stderr


@pytest.mark.parametrize("closed", ["<&-", ">&-", "<&- >&- 2>&-"])
def test_closed_standard_streams(mode, tmp_path, closed):
    """What they are numbered is given to no socket and no file of ours."""
    script = HEAD + (
        "env.set_parallelism(1)\n"
        "ones = env.from_collection([1]).map(lambda x: x)\n"
        "ones.print()\n"
        "ones.write_as_text('out')\n"
        "env.execute()\n"
    )
    shell = ["sh", "-c", f'exec "$@" {closed}', "sh", *leat_command(mode, script, tmp_path)]
    done = subprocess.run(shell, check=False, cwd=tmp_path, env=environment(), timeout=60)
    assert done.returncode == 0
    assert (tmp_path / "out").read_text() == "1\n"


def test_development_mode_finds_nothing(mode, tmp_path):
    script = HEAD + "env.from_collection([1]).map(lambda x: x).print()\nenv.execute()\n"
    python, *rest = leat_command(mode, script, tmp_path)
    done = subprocess.run(
        [python, "-X", "dev", *rest],
        check=False,
        capture_output=True,
        text=True,
        env=environment(),
        timeout=60,
    )
    assert (done.returncode, done.stdout.partition("> ")[2], done.stderr) == (0, "1\n", "")


@pytest.mark.skipif(not LAUNCHER.exists(), reason="the launcher is not installed")
def test_launcher_in_a_folder_that_hides_the_library(tmp_path):
    (tmp_path / "types.py").write_text("raise RuntimeError('the wrong one')\n")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "script.py").write_text("print('fine')\n")
    done = subprocess.run(
        [LAUNCHER, "run", "elsewhere/script.py"],
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment(LEAT_PYTHON=sys.executable),
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "fine\n", "")


POOLS = """
import multiprocessing

def square(x):
    return x * x

def squares(x):
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.map(abs, range(x))

if __name__ == "__main__":
    for _ in range(30):
        with multiprocessing.get_context("fork").Pool(2) as pool:
            pool.map(square, [1, 2])
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.map(square, [3]) == [9]
    with env.from_collection([3]).map(squares).execute_and_collect() as found:
        print(list(found))
"""


def test_multiprocessing(leat_run):
    """Processes by fork end by SIGTERM; those by spawn import the script again, and so pyflink."""
    done = leat_run(HEAD + POOLS)
    assert (done.returncode, done.stdout, done.stderr) == (0, "[[0, 1, 2]]\n", "")


def test_arguments_and_names_of_a_script(leat_run, tmp_path):
    done = leat_run("import sys\nprint(sys.argv[1:], __name__, __file__)", "-D", "a=b", "--input")
    assert done.stdout == f"['-D', 'a=b', '--input'] __main__ {tmp_path}/script.py\n"


@pytest.mark.parametrize("code", [0, 1, 7])
def test_exit_code_of_the_script(leat_run, code):
    assert leat_run(f"import sys; sys.exit({code})").returncode == code


def test_script_that_ends_with_its_job_running(leat_run):
    script = HEAD + "env.from_collection([1]).map(lambda x: x).print()\nenv.execute_async()\n"
    done = leat_run(script)
    assert (done.returncode, done.stdout.partition("> ")[2], done.stderr) == (0, "1\n", "")


def test_script_that_ends_with_a_job_that_fails(leat_run):
    script = HEAD + "env.from_collection([1]).map(lambda x: 1 / 0).print()\nenv.execute_async()\n"
    done = leat_run(script)
    assert done.returncode == 1
    assert "ZeroDivisionError: division by zero; the record was 1" in done.stderr


# --- Ctrl-C ---------------------------------------------------------------------------------------

RUNNING = (
    HEAD
    + """
def forever(x):
    print("running", os.getpid(), flush=True)
    for i in itertools.count():
        yield i

env.from_collection([0]).flat_map(forever).set_parallelism(1).filter(lambda x: False).print()
"""
)


def pid_of_function(child):
    """Waits until the function runs; the process it runs in."""
    word, _, pid = child.stdout.readline().partition(" ")
    assert word == "running", child.stderr.read()
    return int(pid)


def is_gone(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state == "Z"


def wait_until(condition, seconds=10.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


@pytest.mark.quick
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupt_cancels_the_job(leat_start, number, code):
    child = leat_start(RUNNING + "env.execute()\n")
    pid = pid_of_function(child)
    begin = time.monotonic()
    child.send_signal(number)
    assert child.wait(30) == code
    assert time.monotonic() - begin < 5
    wait_until(lambda: pid == child.pid or is_gone(pid), 3)
    assert "Traceback" not in child.stderr.read()


def test_interrupt_while_collecting(leat_start):
    script = RUNNING.replace(".print()", ".execute_and_collect()").replace(
        "env.from", "r = env.from"
    )
    child = leat_start(script + "next(r)\n")
    pid = pid_of_function(child)
    child.send_signal(signal.SIGINT)
    assert child.wait(30) == 130
    wait_until(lambda: pid == child.pid or is_gone(pid), 3)


def test_interrupt_while_the_launcher_waits(leat_start):
    child = leat_start(RUNNING + "env.execute_async()\n")
    pid_of_function(child)
    child.send_signal(signal.SIGINT)
    assert child.wait(30) == 130


def test_interrupt_reaches_the_script(leat_start):
    script = RUNNING + "try:\n    env.execute()\nexcept KeyboardInterrupt:\n    print('caught')\n"
    child = leat_start(script)
    pid_of_function(child)
    child.send_signal(signal.SIGINT)
    assert child.stdout.read() == "caught\n"
    assert child.wait(30) == 0


@pytest.mark.parametrize("call", ["execute()", "execute_async()"])
def test_interrupt_just_behind_the_start_cancels(leat_run, call):
    """As a Ctrl-C does that comes between the start and the wait: here raised in the place."""
    script = RUNNING.replace(
        "def forever",
        """import pyflink.datastream.stream_execution_environment as inner

def interrupted(job):
    raise KeyboardInterrupt

inner.JobClient = interrupted

def forever""",
    )
    script += f"try:\n    env.{call}\nexcept KeyboardInterrupt:\n    print('caught')\n"
    done = leat_run(script)
    assert (done.returncode, "caught" in done.stdout.splitlines()) == (0, True), done.stderr


STUCK = (
    HEAD
    + """
def stuck(x):
    print("running", os.getpid(), flush=True)
    while True:
        try:
            time.sleep(1000)
        except BaseException:
            pass

env.from_collection([0]).map(stuck).set_parallelism(1).print()
env.execute()
"""
)


def test_second_interrupt_kills(leat_start, mode):
    child = leat_start(STUCK)
    pid = pid_of_function(child)
    child.send_signal(signal.SIGINT)
    if mode == "thread":
        assert "cancelling; once more kills" in child.stderr.readline()
        child.send_signal(signal.SIGINT)
        assert child.wait(10) == -signal.SIGINT
    else:
        assert child.wait(30) == 130
        wait_until(lambda: is_gone(pid), 3)


def test_workers_end_with_a_killed_program(leat_start, mode):
    child = leat_start(RUNNING + "env.execute()\n")
    pid = pid_of_function(child)
    os.kill(child.pid, signal.SIGKILL)
    assert child.wait(10) == -signal.SIGKILL
    wait_until(lambda: is_gone(pid), 3)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="there are none before Python 3.12")
def test_import_in_an_interpreter_with_its_own_gil(tmp_path):
    script = tmp_path / "own_gil.py"
    script.write_text(OWN_GIL)
    done = subprocess.run(
        [sys.executable, script],
        check=False,
        capture_output=True,
        text=True,
        env=environment(),
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "2\n2\n2\nmain 2\n", "")


# CPython 3.12 crashes when a second such interpreter imports datetime, as pickling functions does.
OWN_GIL = """
import sys
if sys.version_info >= (3, 13):
    import _interpreters as interpreters
    make = lambda: interpreters.create("isolated")
    STEP = "stream.map(lambda x: x + 1)"
else:
    import _xxsubinterpreters as interpreters
    make = lambda: interpreters.create(isolated=True)
    STEP = "stream.union(stream)"

JOB = '''
from leat.common import Configuration
from leat.datastream import StreamExecutionEnvironment
configuration = Configuration()
configuration.set_string("python.execution-mode", "thread")
env = StreamExecutionEnvironment.get_execution_environment(configuration).set_parallelism(1)
stream = env.from_collection([1, 2])
with STEP.execute_and_collect() as found:
    results = sorted(set(found))
'''.replace("STEP", STEP)

if sys.version_info >= (3, 13):
    exec(JOB)  # each runs in its own, also while the main one has Leat, too
for _ in range(3):
    one = make()
    failed = interpreters.run_string(one, JOB + "print(len(results), flush=True)")
    if failed:
        print(failed)
    interpreters.destroy(one)
exec(JOB)
print("main", len(results))
"""


def test_sinks_without_a_job_are_told(leat_run):
    script = """
from pyflink.datastream import StreamExecutionEnvironment
env = StreamExecutionEnvironment.get_execution_environment()
env.from_collection([1]).print()
{}
"""
    told = leat_run(script.format(""))
    assert (told.returncode, told.stdout) == (0, "")
    assert "sinks were added, but no job was executed; call env.execute()" in told.stderr
    for used in ("env.execute()", "env.get_execution_plan()", "env.close()"):
        assert leat_run(script.format(used)).stderr == ""
