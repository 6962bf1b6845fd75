"""No worker lives two seconds longer than its job or main process; jobs wait for no strangers."""

import os
import re
import signal
from pathlib import Path

import pytest

ENDLESS = """
def slow(x):
    {deed}
    return x

env = make_env(2, **{{"python.worker.pool-size": 2}})
env.from_collection(range(100000)).rebalance().map(slow).print()
env.execute("job")
"""
DEEDS = {
    "sleeps": "time.sleep(0.001)",
    "hangs": "time.sleep(1000)",
    "spins": "while True: pass",
    "ignores": "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32)); time.sleep(1000)",
}


@pytest.mark.parametrize("deed", DEEDS.values(), ids=DEEDS.keys())
def test_kill_of_the_main_process_ends_its_workers(start, deed):
    program = start(ENDLESS.format(deed=deed))
    workers = program.wait_for_workers(2)
    assert program.kill_and_wait(workers) < 2


def test_kill_of_the_main_process_ends_stopped_workers(start):
    program = start(ENDLESS.format(deed=DEEDS["sleeps"]))
    workers = program.wait_for_workers(2)
    for pid in workers:
        os.kill(pid, signal.SIGSTOP)
    assert program.kill_and_wait(workers) < 2


def test_kill_of_the_main_process_ends_workers_though_its_fork_lives(start):
    program = start(
        ENDLESS.format(deed=DEEDS["sleeps"])
        .replace(
            'env.execute("job")',
            """
job = env.execute_async("job")
wait_for(lambda: len(children()) == 2)
fork = os.fork()
if fork == 0:
    os.closerange(0, 3)
    wait_for(lambda: os.getppid() != parent)
    time.sleep(10)
    os._exit(0)
say("FORKED", fork)
job.get_job_execution_result().result()
""",
        )
        .replace("env = make_env", "parent = os.getpid()\nenv = make_env")
    )
    # From Python 3.12 on, forking a process with threads warns on the same stream.
    lines = iter(program.process.stderr.readline, "")
    line = next(line for line in lines if line.startswith("FORKED"))
    workers = program.wait_for_workers(2)
    assert program.kill_and_wait(workers) < 2
    os.kill(int(line.split()[1]), signal.SIGKILL)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signal_to_the_group_cancels_and_workers_are_deaf(start, tmp_path, number, code):
    (tmp_path / "job.py").write_text(
        """
import os, time
from leat.datastream import StreamExecutionEnvironment

def deaf(x):
    if x == 0:
        open("began", "w").close()
    time.sleep(0.01)
    return x

env = StreamExecutionEnvironment.get_execution_environment().set_parallelism(1)
env.from_collection(range(100000)).map(deaf).print()
env.execute("job")
"""
    )
    program = start(
        """
import leat.cli
sys.exit(leat.cli.main(["run", "-D", "python.execution-mode=process", "job.py"]))
""",
        group=True,
    )
    (worker,) = program.wait_for_workers(1)
    program.wait_for((tmp_path / "began").exists)
    os.kill(worker, number)
    os.killpg(program.process.pid, number)
    result = program.result()
    assert result.code == code, result.err
    assert result.err in ("", "leat: cancelling; once more kills\n")
    assert not Path(f"/proc/{worker}").exists()


def test_children_of_functions_can_be_terminated(run):
    result = run(
        """
import subprocess
def ends(x):
    program = subprocess.Popen(["sleep", "100"])
    program.terminate()
    forked = os.fork()
    if forked == 0:
        time.sleep(100)
        os._exit(0)
    os.kill(forked, signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGTERM)  # is for the main process
    return program.wait(20), os.waitstatus_to_exitcode(os.waitpid(forked, 0)[1])

env = make_env()
print(list(env.from_collection([1]).map(ends).execute_and_collect()))
"""
    )
    assert result.out == "[(-15, -15)]\n", result.err


def test_job_does_not_wait_for_children_of_its_functions(run):
    result = run(
        """
import subprocess
def launch(x):
    subprocess.Popen(["sleep", "5"])  # keeps stdout and stderr open
    return x

env = make_env()
env.from_collection([1]).map(launch).print()
begin = time.monotonic()
env.execute("job")
say("TOOK", time.monotonic() - begin)
"""
    )
    assert float(re.search(r"TOOK ([\d.]+)", result.err)[1]) < 2


def test_job_does_not_wait_for_threads_of_its_functions(run):
    result = run(
        """
import threading
def launch(x):
    threading.Thread(target=time.sleep, args=(20,)).start()
    return x

env = make_env()
env.from_collection([1]).map(launch).print()
begin = time.monotonic()
env.execute("job")
say("TOOK", time.monotonic() - begin)
"""
    )
    assert result.code == 0
    assert result.out == "1\n"
    assert float(re.search(r"TOOK ([\d.]+)", result.err)[1]) < 2.5


def test_forked_children_of_functions_do_no_harm(run):
    result = run(
        """
def fork(x):
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return x

env = make_env()
env.from_collection(range(20)).map(fork).print()
env.execute("job")
"""
    )
    assert result.out.split() == [str(i) for i in range(20)]


def test_one_record_takes_few_milliseconds_beyond_the_interpreter(run):
    result = run(
        """
def once():
    env = make_env()
    env.from_collection([1]).map(lambda x: x).print()
    begin = time.monotonic()
    env.execute("job")
    return time.monotonic() - begin

say("TOOK", min(once() for _ in range(5)))
"""
    )
    seconds = float(re.search(r"TOOK ([\d.]+)", result.err)[1])
    print(f"one record, from execute to its return: {seconds * 1000:.0f} ms")
    assert seconds < 0.5


def test_jobs_leave_neither_descriptors_nor_threads_nor_processes(run):
    result = run(
        """
def count():
    return descriptors(), len(os.listdir("/proc/self/task")), len(children())

def once(fail):
    env = make_env(2, **{"python.worker.pool-size": 2})
    env.from_collection(range(10)).map(lambda x: 1 // (x - fail)).print()
    try:
        env.execute("job")
    except Exception as e:
        assert "ZeroDivisionError" in str(e), e

once(-1)
once(3)
before = count()
for i in range(10):
    once(-1)
    once(3)
wait_for(lambda: all(map(int.__le__, count(), before)))  # joined threads leave /proc later
"""
    )
    assert result.code == 0, result.err
