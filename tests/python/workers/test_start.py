"""Interpreters that are no workers: each is told apart, within the start's time limit."""

import re
import stat

import pytest

JOB = """
env = make_env(**{{"python.executable": {executable!r}, {settings}}})
env.from_collection([1]).map(lambda x: x).name("Plain").print()
begin = time.monotonic()
try:
    env.execute("job")
except Exception as e:
    say("FAILED", type(e).__name__, e)
say("TOOK", time.monotonic() - begin)
"""

# Says hello over the control socket, as a worker does.
HELLO = """\
#!/usr/bin/env python3
import os, socket, sys, time
index, _, descriptors = sys.argv[-1].removeprefix("--worker=").partition(":")
control = socket.socket(fileno=int(descriptors.split(",")[int(index)]))
def frame(kind, payload):
    control.sendall(len(payload).to_bytes(4, "little") + bytes([kind]) + payload)
{deed}
time.sleep(30)
"""


@pytest.fixture
def job(tmp_path, run):
    """Runs the job with a program in the place of Python."""

    def go(program, settings="", mode=0o755):
        fake = tmp_path / "fake-python"
        if program is not None:
            fake.write_text(program)
            fake.chmod(mode)
        result = run(JOB.format(executable=str(fake), settings=settings))
        assert result.code == 0, result.err
        return result.err, float(re.search(r"TOOK ([\d.]+)", result.err)[1])

    return go


def test_executable_that_does_not_exist(job, tmp_path):
    err, seconds = job(None)
    assert f"{tmp_path}/fake-python: the worker's interpreter can't be started: No such file" in err
    assert "check python.executable" in err
    assert seconds < 1


def test_file_that_is_not_executable(job):
    err, seconds = job("#!/bin/sh\n", mode=stat.S_IRUSR)
    assert "the worker's interpreter can't be started: Permission denied" in err
    assert seconds < 1


def test_program_that_hangs_is_given_up_after_the_time_limit(job):
    err, seconds = job(
        "#!/bin/sh\nexec sleep 30\n", settings='"python.worker.start-timeout": "1 s"'
    )
    assert re.search(
        r"worker 1 \(process \d+\) of .*Plain.*: it did not start within "
        "python.worker.start-timeout",
        err,
    ), err
    assert 0.9 < seconds < 2


def test_time_limit_is_five_seconds_by_default(job):
    _, seconds = job("#!/bin/sh\nexec sleep 30\n")
    assert 4.9 < seconds < 5.6


def test_program_that_ends_at_once_tells_why(job):
    err, seconds = job("#!/bin/sh\necho no such module >&2\nexit 9\n")
    assert "the process did not start: it ended with exit code 9" in err
    assert "its last lines on stderr:\nno such module" in err
    assert seconds < 2


def test_python_without_leat_shows_its_traceback(job):
    err, seconds = job('#!/bin/sh\nexec python3 -I "$@"\n')
    assert "it ended with exit code 1" in err
    assert "No module named" in err
    assert seconds < 3


def test_other_protocol_is_named(job):
    err, seconds = job(HELLO.format(deed=r'frame(1, b"\x63\x050.9.9")'))
    assert "it runs Leat 0.9.9 (protocol 99), this is Leat " in err
    assert "install the same in both" in err
    assert seconds < 2


def test_other_leat_is_named(job):
    err, seconds = job(HELLO.format(deed=r'frame(1, b"\x01\x050.0.9")'))
    assert "it runs Leat 0.0.9 (protocol 1), this is Leat " in err
    assert seconds < 2


@pytest.mark.parametrize(
    "deed",
    [
        'frame(1, b"")',
        r'frame(1, b"\xff" * 40)',
        r'frame(1, b"\x01\xff\xff\xff\x7fabc")',
        r'frame(1, b"\x09\x03\xff\x00\x1b")',
        'frame(5, b"")',
        'frame(99, b"x")',
        'control.sendall(b"HTTP/1.1 200 OK\\r\\n\\r\\n")',
        'control.sendall(b"\\xff" * 100000)',
        "control.close()",
    ],
)
def test_nonsense_is_an_error_soon(job, deed):
    err, seconds = job(HELLO.format(deed=deed))
    assert re.search(r"FAILED \w+ .*worker 1 \(process \d+\) of", err), err
    assert seconds < 3


def test_workers_that_never_started_leave_nothing_behind(run):
    result = run(
        """
def attempt(executable):
    env = make_env(3, **{"python.executable": executable, "python.worker.pool-size": 3})
    env.from_collection([1]).map(lambda x: x).print()
    try:
        env.execute("job")
    except Exception:
        pass

attempt("/bin/false")
before = descriptors()
for i in range(20):
    attempt("/does/not/exist")
    attempt("/bin/false")
say("LEFT", descriptors() - before, children())
"""
    )
    assert "LEFT 0 []" in result.err


def test_too_few_descriptors_is_an_error_and_leaks_none(run):
    result = run(
        """
import resource
def attempt():
    env = make_env(8, **{"python.worker.pool-size": 8})
    env.from_collection([1]).map(lambda x: x).print()
    try:
        env.execute("job")
        say("FINE")
    except Exception as e:
        say("FAILED", e)

hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
used = descriptors()
for limit in range(used, used + 120, 3):
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    attempt()
resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))
say("LEFT", descriptors() - used)
attempt()
"""
    )
    assert result.code == 0, result.err
    assert (
        "raise the limit of open files (ulimit -n), or lower python.worker.pool-size" in result.err
    )
    assert int(re.search(r"LEFT (\d+)", result.err)[1]) <= 3, result.err
    assert result.err.rstrip().endswith("FINE")
