"""A worker that dies fails its job: soon, with its operators, how it ended and its last words."""

import os
import re
import signal

import pytest

JOB = """
def bad(x):
    if x == 5:
        say("about to go")
        {deed}
    return x

env = make_env()
env.from_collection(range(10)).map(bad).name("Careless").print()
try:
    env.execute("job")
except BaseException as e:
    say("FAILED", type(e).__name__, e)
"""


def job(deed: str) -> str:
    return JOB.format(deed=deed)


@pytest.mark.parametrize(
    ("deed", "how"),
    [
        (
            "os.kill(os.getpid(), signal.SIGKILL)",
            r"signal 9 \(Killed\); perhaps the machine had no",
        ),
        ("os.kill(os.getpid(), signal.SIGUSR1)", r"signal 10 \(User defined signal 1\)"),
        ("os.abort()", r"signal 6 \(Aborted\)"),
        ("import ctypes; ctypes.string_at(0)", r"signal 11 \(Segmentation fault\)"),
        ("os._exit(0)", "exit code 0"),
        ("os._exit(3)", "exit code 3"),
    ],
)
def test_end_of_the_process_is_the_error(run, deed, how):
    result = run(job(deed))
    assert result.code == 0
    assert re.search(
        r"FAILED \w+ .*worker 1 \(process \d+\) of .*Careless.*: the process ended with " + how,
        result.err,
    ), result.err
    assert "its last lines on stderr:\nabout to go" in result.err
    assert result.seconds < 5


@pytest.mark.parametrize(
    ("deed", "expected"),
    [
        ("sys.exit(3)", "SystemExit: 3"),
        ("raise KeyboardInterrupt('now')", "KeyboardInterrupt: now"),
        ("raise GeneratorExit('now')", "GeneratorExit: now"),
        ("raise type('Odd', (BaseException,), {})('now')", "Odd: now"),
        ("bad.__code__ and (lambda f: f(f))(lambda f: f(f))", "RecursionError"),
        ("raise MemoryError('enough')", "MemoryError: enough"),
        ("bytearray(1 << 60)", "MemoryError"),
    ],
)
def test_exceptions_of_all_kinds_are_user_errors(run, deed, expected):
    result = run(job(deed))
    assert result.code == 0, result.err
    assert "FAILED" in result.err
    assert expected in result.err
    assert "Careless (1/1)" in result.err
    assert result.seconds < 5


def test_wires_closed_by_the_user_end_the_job(run):
    result = run(job("os.closerange(3, 1000); time.sleep(60)"))
    assert "since it had closed its connection to the main process" in result.err, result.err
    assert result.seconds < 5


def test_death_of_one_worker_names_that_one(run):
    result = run(
        """
def bad(x):
    if x == 77 and worker_index() == 2:
        os._exit(7)
    return x

def worker_index():
    command = open("/proc/self/cmdline").read()
    return int(command.partition("--worker=")[2].partition(":")[0])

env = make_env(4, **{"python.worker.pool-size": 2})
env.from_collection([77] * 1000).rebalance().map(bad).print()
try:
    env.execute("job")
except Exception as e:
    say("FAILED", e)
"""
    )
    assert re.search(r"FAILED .*worker 2 \(process \d+\).*exit code 7", result.err), result.err


def test_binary_last_words_become_text(run):
    result = run(job(r"os.write(2, b'\x00\xff\xfe caf\xc3\xa9\n'); os._exit(4)"))
    assert "exit code 4" in result.err
    assert "??? café" in result.err


def test_only_the_last_words_are_quoted(run):
    result = run(
        job("[say('line', i, 'x' * 50) for i in range(1000)]; os._exit(4)"),
    )
    quoted = result.err.partition("its last lines on stderr:\n")[2]
    assert quoted.startswith("line 9")
    assert "line 999 " in quoted


def test_stopped_worker_is_killed_by_a_cancel(start, tmp_path):
    program = start(
        """
env = make_env()
env.from_collection(range(1000)).map(lambda x: time.sleep(0.01) or x).print()
job = env.execute_async("job")
wait_for(lambda: os.path.exists("stopped"))
job.cancel()
begin = time.monotonic()
try:
    job.get_job_execution_result().result()
except Exception as e:
    say("ENDED", type(e).__name__, e)
say("TOOK", time.monotonic() - begin)
"""
    )
    (worker,) = program.wait_for_workers(1)
    os.kill(worker, signal.SIGSTOP)
    (tmp_path / "stopped").touch()
    result = program.result()
    assert float(re.search(r"TOOK ([\d.]+)", result.err)[1]) < 2.5, result.err


@pytest.mark.parametrize("deed", ["while True: pass", "time.sleep(1000)"])
def test_stuck_function_is_killed_by_a_cancel(run, deed):
    result = run(
        f"""
def stuck(x):
    open("stuck", "w").close()
    {deed}

env = make_env()
env.from_collection([1]).map(stuck).print()
job = env.execute_async("job")
wait_for(lambda: os.path.exists("stuck"))
begin = time.monotonic()
job.cancel()
try:
    job.get_job_execution_result().result()
except Exception as e:
    say("ENDED", type(e).__name__, e)
say("TOOK", time.monotonic() - begin)
"""
    )
    assert float(re.search(r"TOOK ([\d.]+)", result.err)[1]) < 2, result.err
