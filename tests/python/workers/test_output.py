"""What functions print and log comes out of the main process, in whole lines, and all of it."""

import collections
import re

import pytest

MODES = pytest.mark.parametrize("mode", ["thread", "process"])


def job(mode, body, parallelism=1, records="range(10)"):
    return f"""
import logging
def talk(x):
    {body}
    return x

env = make_env({parallelism}, **{{"python.execution-mode": {mode!r},
                                  "python.worker.pool-size": {parallelism}}})
env.from_collection({records}).rebalance().map(talk).filter(lambda x: False).print()
env.execute("job")
"""


@MODES
def test_lines_of_several_workers_are_whole(run, mode):
    result = run(job(mode, "print(f'<{x:06d}' + 'y' * (x % 3000) + '>')", 4, "range(4000)"))
    lines = result.out.splitlines()
    wrong = [n for n in lines if not re.fullmatch(r"<\d{6}y*>", n)]
    assert not wrong[:3]
    assert collections.Counter(int(n[1:7]) for n in lines) == collections.Counter(range(4000))


@MODES
def test_stderr_and_logging_come_out(run, mode):
    result = run(job(mode, "say('err', x); logging.getLogger('mine').warning('log %s', x)"))
    assert result.err.splitlines().count("err 3") == 1
    assert result.err.splitlines().count("log 3") == 1
    assert result.out == ""


@MODES
def test_print_without_newline_is_not_lost(run, mode):
    result = run(job(mode, "print(x, end=' ')"))
    assert result.out.split() == [str(i) for i in range(10)]


@MODES
def test_huge_prints_come_out(run, mode):
    result = run(job(mode, "print('z' * 20_000_000)", records="[1, 2, 3]"))
    assert result.out == ("z" * 20_000_000 + "\n") * 3


@MODES
def test_binary_on_stdout_comes_out_as_it_is(start, mode):
    program = start(job(mode, r"os.write(1, b'\x00\xff\n\xfe\n')", records="[1]"))
    assert program.result().out == "\x00\ufffd\n\ufffd\n"


def test_stdin_of_functions_is_empty(run):
    result = run(job("process", "say('READ', repr(sys.stdin.read()))", records="[1]"))
    assert "READ ''" in result.err


@MODES
def test_lines_come_out_while_the_job_runs(start, mode, tmp_path):
    program = start(
        job(mode, "print('now', x); wait_for(lambda: os.path.exists('seen'))", records="[1]"),
        PYTHONUNBUFFERED="1" if mode == "thread" else "",
    )
    assert program.process.stdout.readline() == "now 1\n"
    (tmp_path / "seen").touch()
    assert program.result().code == 0


def test_output_that_nobody_reads_slows_the_worker_and_fails_nothing(start):
    program = start(job("process", "print('w' * 1000)", records="range(20000)"))
    out = 0
    while chunk := program.process.stdout.read(1 << 16):
        out += len(chunk)
    assert out == 20000 * 1001


def test_closed_stdout_fails_no_job_for_what_functions_print(start):
    program = start(
        job("process", "print('w' * 1000)", records="range(20000)") + "\nsay('FINISHED')\n"
    )
    program.process.stdout.close()
    program.process.stdout = None
    assert "FINISHED" in program.result().err
