"""The `leat` program: commands, exit codes, the Python it becomes, shared objects it runs itself.

The program is build/dev/bin/leat, or what LEAT_LAUNCHER names. No Python package is needed: where
the program would become a Python, a script that prints its arguments takes the place.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LEAT = Path(os.environ.get("LEAT_LAUNCHER", ROOT / "build/dev/bin/leat")).absolute()
SECONDS = 60

HAS_MODULE = any(LEAT.parent.parent.glob("lib/leat/python3.*/leat/_leat.*.so"))
needs_python = pytest.mark.skipif(not HAS_MODULE, reason="no Python module is built")

pytestmark = pytest.mark.skipif(not LEAT.exists(), reason=f"{LEAT} is not built")

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def environment(**changes: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k not in ("LEAT_CONF", "LEAT_PYTHON")}
    return kept | changes


@pytest.fixture
def leat(tmp_path: Path) -> Run:
    """Runs `leat` in an empty folder; keyword arguments change the environment."""

    def run(*arguments: str | Path, **changes: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [LEAT, *map(str, arguments)],
            cwd=tmp_path,
            check=False,
            env=environment(**changes),
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )

    return run


@pytest.fixture
def fake_python(tmp_path: Path) -> Callable[[str], Path]:
    """Makes an executable that prints its name, its arguments and PYTHONPATH."""

    def make(path: str) -> Path:
        program = tmp_path / path
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(f'#!/bin/sh\necho {path}\nfor a in "$@"; do echo "[$a]"; done\nexit 7\n')
        program.chmod(0o755)
        return program

    return make


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "words.py"
    path.write_text("print('words')\n")
    return path


@pytest.fixture(scope="session")
def shared_job(tmp_path_factory: pytest.TempPathFactory) -> Path:
    built = tmp_path_factory.mktemp("shared") / "job.so"
    libraries = [
        f for f in (LEAT.parent.parent / "lib", LEAT.parent) if (f / "libleat.so").exists()
    ]
    command = [
        "cc",
        "-shared",
        "-fPIC",
        f"-I{ROOT / 'include'}",
        ROOT / "tests/system/shared_job.c",
    ]
    subprocess.run([*command, "-o", built, f"-L{libraries[0]}", "-lleat"], check=True)
    return built


def test_version_and_help(leat: Run) -> None:
    assert leat("--version").stdout.startswith("leat 0.")
    shown = leat("help")
    assert shown.returncode == 0
    for command in ("run", "plan", "config", "doctor"):
        assert f"\n  {command} " in shown.stdout
    silent = leat()
    assert (silent.returncode, silent.stdout) == (2, "")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["confg"], "did you mean `leat config`?"),
        (["urn"], "`leat help` tells what there is"),
        (["words.py"], "did you mean `leat run words.py`?"),
        (["run"], "a SCRIPT is needed"),
        (["run", "absent.py"], "absent.py: the file can't be read"),
        (["run", "-Dx", "words.py"], "-D x: KEY=VALUE is needed"),
        (["run", "--jobname", "x", "words.py"], "there is no option '--jobname'"),
        (["run", "-D", "parallelism.defult=2", "words.py"], "did you mean parallelism.default?"),
        (["status"], "status: one JOB is needed"),
        (["list", "x"], "list: it takes no JOB"),
        (["stop", "a", "b", "c"], "and a folder at most"),
        (["cancel", "--timeout", "soon", "x"], "a number of SECONDS is needed"),
        (["config", "colour"], "colour: no such configuration key"),
    ],
)
def test_wrong_use_says_what_to_do(leat: Run, script: Path, typed: list[str], said: str) -> None:
    answer = leat(*typed)
    assert answer.returncode == 2
    assert said in answer.stderr
    assert answer.stderr.startswith("leat: ")
    assert answer.stdout == ""


def test_script_gets_its_arguments_untouched(leat: Run, script: Path, fake_python) -> None:
    arguments = ["run", "-D", "parallelism.default=2", "words.py", "-D", "--x", "", "-"]
    answer = leat(*arguments, LEAT_PYTHON=str(fake_python("my python")))
    assert answer.stdout.splitlines() == [
        "my python",
        *(f"[{a}]" for a in ("-P", "-m", "leat", *arguments)),
    ]
    assert answer.returncode == 7
    assert "[plan]" in leat("plan", "words.py", LEAT_PYTHON=str(fake_python("p"))).stdout


def test_python_is_found_in_order(leat: Run, script: Path, fake_python, tmp_path: Path) -> None:
    fake_python("bin/python3")
    path = f"{tmp_path / 'bin'}:/usr/bin:/bin"
    for package in LEAT.parent.parent.glob("lib/leat/python3.*"):
        fake_python(f"bin/{package.name}")  # the one that the package is for comes first
    if not any((LEAT.parent / name).exists() for name in ("python", "python3")):
        assert leat("run", script, PATH=path).stdout.startswith("bin/python3")
    (tmp_path / "leat.yaml").write_text(f"python.executable: {fake_python('of the file')}\n")
    assert leat("run", script, PATH=path).stdout.startswith("of the file")
    option = f"-Dpython.executable={fake_python('of -D')}"
    assert leat("run", option, script, PATH=path).stdout.startswith("of -D")
    named = str(fake_python("of the environment"))
    assert leat("run", option, script, LEAT_PYTHON=named).stdout.startswith("of the environment")
    answer = leat("run", script, LEAT_PYTHON="/nowhere/python")
    assert answer.returncode == 2
    assert "LEAT_PYTHON: /nowhere/python can't be executed" in answer.stderr


@pytest.fixture(params=["its name", "asking it"])
def old_python(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A Python 3.9 as far as the launcher can tell, which knows no -P."""
    path = tmp_path / "old" / ("python3.9" if request.param == "its name" else "python3")
    path.parent.mkdir()
    path.write_text('#!/bin/sh\n[ "$1" = -c ] && exit 68\necho "Unknown option: $1"; exit 2\n')
    path.chmod(0o755)
    return str(path)


def test_a_python_that_is_too_old_is_named(leat: Run, script: Path, old_python: str) -> None:
    wanted = f"leat: LEAT_PYTHON: {old_python} is too old; name a Python 3.11, 3.12 or 3.13\n"
    answer = leat("run", script, LEAT_PYTHON=old_python)
    assert (answer.returncode, answer.stdout, answer.stderr) == (2, "", wanted)
    option = f"-Dpython.executable={old_python}"
    assert f"python.executable: {old_python} is too old" in leat("run", option, script).stderr
    answer = leat("doctor", LEAT_PYTHON=old_python)
    assert answer.returncode == 1
    assert wanted in answer.stderr
    assert "FAILED  Python for scripts: none; name a Python 3.11, 3.12 or 3.13" in answer.stdout


def test_a_python_that_is_too_old_is_looked_past(
    leat: Run, script: Path, fake_python, old_python: str, tmp_path: Path
) -> None:
    Path(old_python).rename(tmp_path / "old" / "python3")
    fake_python("new/python")
    for package in LEAT.parent.parent.glob("lib/leat/python3.*"):
        fake_python(f"new/{package.name}")
    path = f"{tmp_path / 'old'}:{tmp_path / 'new'}:/usr/bin:/bin"
    if not any((LEAT.parent / name).exists() for name in ("python", "python3")):
        assert leat("run", script, PATH=path).stdout.startswith("new/")


def test_config_shows_the_values_that_hold(leat: Run, tmp_path: Path) -> None:
    (tmp_path / "leat.yaml").write_text("# ours\npipeline.name: 'a name'\n")
    keys = {k["key"]: k for k in json.loads(leat("config", "--json").stdout)}
    assert keys["pipeline.name"]["value"] == "a name"
    assert keys["python.execution-mode"] == {
        "key": "python.execution-mode",
        "kind": "enum",
        "status": "implemented",
        "default": "process",
        "value": "process",
        "aliases": None,
        "choices": "process thread",
        "works": None,
        "note": None,
        "doc": keys["python.execution-mode"]["doc"],
    }
    every = json.loads(leat("config", "--json", "--all").stdout)
    assert "taskmanager.numberOfTaskSlots" in {k["key"] for k in every}
    shown = leat("config", "-D", "execution.buffer-timeout=7 ms", "execution.buffer-timeout").stdout
    assert shown.startswith("execution.buffer-timeout.interval: 7 ms\n")
    assert "default: 100 ms" in shown


def test_wrong_file_names_the_line(leat: Run, tmp_path: Path) -> None:
    (tmp_path / "leat.yaml").write_text("pipeline.name: x\nparallelism.defult: 2\n")
    answer = leat("config")
    assert answer.returncode == 2
    assert "leat.yaml:2: parallelism.defult: no such configuration key" in answer.stderr
    (tmp_path / "other.yaml").write_text("pipeline.name: other\n")
    shown = leat("config", "pipeline.name", LEAT_CONF="other.yaml").stdout
    assert shown.startswith("pipeline.name: other\n")


def test_shared_object_runs_here(leat: Run, shared_job: Path) -> None:
    answer = leat("run", "--job-name", "numbers", shared_job)
    assert (answer.returncode, answer.stdout) == (0, "55\n")
    assert f"{shared_job} sum with numbers" in answer.stderr


def test_shared_object_fails_with_its_code(leat: Run, shared_job: Path) -> None:
    assert leat("run", shared_job, "code", "5").returncode == 5
    assert leat("run", shared_job, "code", "-6").returncode == 2
    failed = leat("run", shared_job, "fail")
    assert failed.returncode == 1
    assert "it failed (LEAT_E_" in failed.stderr
    planned = leat("plan", shared_job)
    assert planned.returncode == 2
    assert "leat_env_plan" in planned.stderr


def test_object_without_leat_main_is_refused(leat: Run, tmp_path: Path) -> None:
    (tmp_path / "empty.c").write_text("int nothing;\n")
    built = tmp_path / "empty.so"
    subprocess.run(["cc", "-shared", "-fPIC", tmp_path / "empty.c", "-o", built], check=True)
    answer = leat("run", built)
    assert answer.returncode == 2
    assert "it exports no leat_main" in answer.stderr
    (tmp_path / "broken.so").write_bytes(b"\x7fELF and nothing else")
    assert "it can't be loaded" in leat("run", "broken.so").stderr


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signal_cancels_shared_object(shared_job: Path, number: int, code: int) -> None:
    command = [LEAT, "run", shared_job, "endless"]
    with subprocess.Popen(command, env=environment(), stderr=subprocess.PIPE, text=True) as job:
        assert job.stderr is not None
        assert "endless" in job.stderr.readline()
        job.send_signal(number)
        assert "cancelling" in job.stderr.readline()
        assert job.wait(SECONDS) == code


def test_shared_object_is_seen_and_cancelled_from_outside(
    leat: Run, shared_job: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    folder.mkdir(mode=0o700)
    there = {"XDG_RUNTIME_DIR": str(folder)}
    assert leat("list", **there).stdout == "no job listens\n"
    command = [LEAT, "run", shared_job, "endless"]
    with subprocess.Popen(
        command, env=environment(**there), stderr=subprocess.PIPE, text=True
    ) as job:
        assert job.stderr is not None
        assert "endless" in job.stderr.readline()
        found: list[dict[str, object]] = []
        while not found:
            found = json.loads(leat("list", "--json", **there).stdout)
        assert (found[0]["pid"], found[0]["state"]) == (job.pid, "RUNNING")
        identity = str(found[0]["id"])
        assert json.loads(leat("status", "--json", identity, **there).stdout)["id"] == identity
        refused = leat("savepoint", "--timeout", "30", identity, **there)
        assert refused.returncode == 1
        assert "there is no folder for savepoints" in refused.stderr
        assert leat("cancel", identity[:8], **there).stdout.startswith(str(found[0]["name"]))
        assert job.wait(SECONDS) == 130
    gone = leat("cancel", identity, **there)
    assert gone.returncode == 1
    assert "`leat list` shows those that do" in gone.stderr


@needs_python
@pytest.mark.parametrize("mode", ["process", "thread"])
def test_shared_object_runs_python_functions(leat: Run, shared_job: Path, mode: str) -> None:
    (shared_job.parent / "numbers_of_job.py").write_text("def add_one(n):\n    return n + 1\n")
    command = ["run", f"-Dpython.execution-mode={mode}", shared_job, "python"]
    answer = leat(*command, "numbers_of_job:add_one", LEAT_PYTHON=sys.executable)
    assert (answer.returncode, answer.stdout) == (0, "65\n"), answer.stderr
    assert "run in processes" not in answer.stderr  # no fallback
    failed = leat(*command, "numbers_of_job:absent", LEAT_PYTHON=sys.executable)
    assert failed.returncode == 1
    assert "module 'numbers_of_job' has no attribute 'absent'" in failed.stderr


@needs_python
def test_doctor_finds_this_machine_well(leat: Run) -> None:
    answer = leat("doctor", LEAT_PYTHON=sys.executable)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    lines = answer.stdout.splitlines()
    assert "ok      native job: 3 of three records" in lines
    for mode in ("process", "thread"):
        assert f"ok      Python function in a C program, {mode} mode: 3 of three records" in lines
        assert any(line.startswith(f"ok      {mode} mode: three records in") for line in lines)


def test_doctor_has_a_remedy(leat: Run, fake_python) -> None:
    answer = leat("doctor", LEAT_PYTHON=str(fake_python("no python")))
    assert answer.returncode == 1
    assert "it has no package leat: pip install leat" in answer.stdout
