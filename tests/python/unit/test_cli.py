import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from leat import cli

FAKE = Path(__file__).with_name("fake_leat.py")
USE_FAKE = f"""
import importlib.util, sys, leat
spec = importlib.util.spec_from_file_location("leat._leat", {str(FAKE)!r})
_fake = importlib.util.module_from_spec(spec); spec.loader.exec_module(_fake)
sys.modules["leat._leat"] = leat._leat = _fake
"""


@pytest.fixture
def launch(python):
    """Runs `python -m leat ...` on a script's text."""

    def run(source, *arguments, **options):
        return python(source, "-m", "leat", *arguments, check=False, **options)

    return run


def test_parse_stops_at_the_script():
    assert cli.parse(["-D", "a=b", "-Dc=d=e", "--job-name", "n", "s.py", "-D", "x"]) == (
        {"a": "b", "c": "d=e"},
        "n",
        ["s.py", "-D", "x"],
    )
    assert cli.parse(["--job-name=n", "--", "-s.py"]) == ({}, "n", ["-s.py"])


@pytest.mark.parametrize("wrong", [[], ["-D", "a"], ["-D"], ["--what", "s.py"], ["--job-name"]])
def test_parse_refuses(wrong):
    with pytest.raises(cli.UsageError):
        cli.parse(wrong)


def test_run_is_like_python_script(launch):
    done = launch(
        """
import sys, os, pickle
import pyflink.datastream, leat.datastream
assert pyflink.datastream is leat.datastream
class Point: pass
assert __name__ == "__main__" and sys.modules["__main__"].Point is Point
assert type(pickle.loads(pickle.dumps(Point()))) is Point
assert sys.path[0] == os.path.dirname(os.path.realpath(__file__)), sys.path
import beside
print(sys.argv[1:], file=sys.stdout)
""".replace("import beside", ""),
        "run",
        "-D",
        "a=b",
        "SCRIPT",
        "--input",
        "-D",
        "--",
        "x y",
    )
    assert (done.returncode, done.stdout) == (0, "['--input', '-D', '--', 'x y']\n"), done.stderr


def test_run_finds_modules_beside_the_script(launch, tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "beside.py").write_text("VALUE = 7")
    (tmp_path / "deep" / "main.py").write_text("import beside; print(beside.VALUE)")
    done = launch("", "run", "deep/main.py")
    assert done.stdout == "7\n", done.stderr


def test_exit_codes_of_scripts(launch):
    assert launch("", "run", "SCRIPT").returncode == 0
    assert launch("import sys; sys.exit(7)", "run", "SCRIPT").returncode == 7
    assert launch("import sys; sys.exit()", "run", "SCRIPT").returncode == 0
    done = launch("raise SystemExit('why')", "run", "SCRIPT")
    assert (done.returncode, done.stderr) == (1, "why\n")


def test_errors_have_the_users_frames_only(launch):
    done = launch("def f():\n    raise ValueError('odd')\nf()\n", "run", "SCRIPT")
    assert done.returncode == 1
    assert done.stderr.endswith("ValueError: odd\n")
    assert "cli.py" not in done.stderr
    assert done.stderr.count("File ") == 2
    assert done.stdout == ""


def test_syntax_errors_are_shown(launch):
    done = launch("x = = 1\n", "run", "SCRIPT")
    assert done.returncode == 1
    assert "SyntaxError" in done.stderr


def test_usage_errors(launch):
    for wrong in (["walk"], ["run"], ["run", "no-such.py"], ["run", "-D", "x", "SCRIPT"]):
        done = launch("", *wrong)
        assert done.returncode == 2, (wrong, done.stderr)
        assert done.stderr.startswith("leat: ")
        assert "help" in done.stderr


def test_help_version_and_no_arguments(launch):
    assert launch("", "--version").stdout.startswith("leat 0.")
    assert launch("", "help").stdout.startswith("usage: ")
    assert launch("", "help").returncode == 0


JOB = """
from pyflink.datastream import StreamExecutionEnvironment
env = StreamExecutionEnvironment.get_execution_environment()
env.from_collection([1]).print()
"""


def test_settings_reach_the_environment(launch, tmp_path):
    (tmp_path / "leat.yaml").write_text("from.file: 1\nboth: file\n")
    source = USE_FAKE + JOB + "print(sorted(env._engine.settings.items()))"
    done = launch(source, "run", "-D", "both=-D", "SCRIPT")
    assert done.stdout == "[('both', '-D'), ('from.file', '1')]\n", done.stderr


def test_wrong_settings_are_exit_code_2(launch):
    done = launch(USE_FAKE + JOB, "run", "-D", "no.such=1", "SCRIPT")
    assert done.returncode == 2
    assert "leat: -D: no.such: unknown" in done.stderr


def test_a_job_that_still_runs_is_waited_for(launch):
    source = USE_FAKE + JOB + "job = env.execute_async('x')._job\n"
    source += "import atexit; atexit.register(lambda: print(job.ended, job.cancelled))"
    assert launch(source, "run", "SCRIPT").stdout == "True False\n"


def test_a_job_that_fails_behind_the_script_is_exit_code_1(launch):
    source = USE_FAKE + JOB + "env._engine.next_job.error = RuntimeError('job broke')\n"
    done = launch(source + "env.execute_async()", "run", "SCRIPT")
    assert done.returncode == 1
    assert "job broke" in done.stderr


def test_job_name_is_the_scripts_unless_told(launch):
    source = USE_FAKE + JOB + "env.execute(); print(env._engine.jobs[0][0])"
    assert launch(source, "run", "SCRIPT", name="words.py").stdout == "words\n"
    assert launch(source, "run", "--job-name", "n", "SCRIPT").stdout == "n\n"


def test_plan(launch):
    source = USE_FAKE + JOB + "env.from_collection([1]).add_sink(print)\nenv.execute()\nprint(1)"
    done = launch(source, "plan", "SCRIPT")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith('{"nodes"')
    assert "would refuse DataStream.add_sink(print)" in done.stderr
    assert launch("pass", "plan", "SCRIPT").returncode == 1


def test_config_prints_the_table(fake, capsys):
    assert cli.main(["config"]) == 0
    assert "parallelism.default: cores" in capsys.readouterr().out


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_cancel(tmp_path, number, code):
    script = tmp_path / "s.py"
    marker = tmp_path / "cancelled"
    script.write_text(
        USE_FAKE
        + JOB
        + f"""
import time
def wait(timeout):
    if job.cancelled:
        open({str(marker)!r}, "w").close()
        return True
    if timeout:
        print("waiting", flush=True)
        time.sleep(60)
    return False
job = env._engine.next_job
job.wait = wait
env.execute()
"""
    )
    environ = {**os.environ, "PYTHONPATH": str(Path(cli.__file__).parents[1])}
    run = subprocess.Popen(
        [sys.executable, "-m", "leat", "run", str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environ,
    )
    assert run.stdout.readline() == "waiting\n", run.stderr.read()
    run.send_signal(number)
    begin = time.monotonic()
    _, err = run.communicate(timeout=30)
    assert run.returncode == code, err
    assert marker.exists()
    assert "Traceback" not in err
    assert time.monotonic() - begin < 20


def test_worker_hands_its_arguments_on(fake, monkeypatch):
    from leat import worker

    monkeypatch.setattr(sys, "path", list(sys.path))
    assert worker.main(["a", "b"]) == 2
