"""The examples in C as a user has them: against an installed Leat, by pkg-config and by CMake.

What is installed is build/dev, or the build that LEAT_BUILD names. The programs run in an empty
folder, with an environment that says nothing of Leat or Python.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("LEAT_BUILD", ROOT / "build/dev")).absolute()
EXAMPLES = ROOT / "examples/c"
VERSE = "The mill turns and the water runs, the water runs and the mill turns."
SECONDS = 60

pytestmark = pytest.mark.skipif(
    not (BUILD / "lib/libleat.so").exists(), reason=f"{BUILD} is not built"
)

HAS_MODULE = any(BUILD.glob("lib/leat/python3.*/leat/_leat.*.so"))
needs_python = pytest.mark.skipif(not HAS_MODULE, reason=f"{BUILD} has no Python module")

HAS_SQLITE = not subprocess.call(["pkg-config", "--exists", "sqlite3"])
needs_sqlite = pytest.mark.skipif(not HAS_SQLITE, reason="there is no package libsqlite3-dev")
# What an example includes, and the pkg-config package that it needs for that.
LIBRARIES = {"uv.h": "libuv", "sqlite3.h": "sqlite3"}

Run = Callable[..., str]


def environment(**changes: str) -> dict[str, str]:
    told = ("LEAT", "PYTHON", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "PKG_CONFIG")
    return {k: v for k, v in os.environ.items() if not k.startswith(told)} | changes


def command(*words: str | Path, **options: object) -> str:
    done = subprocess.run(
        [*map(str, words)], capture_output=True, text=True, timeout=SECONDS, check=False, **options
    )
    assert done.returncode == 0, f"{done.args}:\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="session")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where Leat was installed; moved afterwards, since nothing in it may name its place."""
    made = tmp_path_factory.mktemp("made") / "leat"
    command("cmake", "--install", BUILD, "--prefix", made)
    return made.rename(tmp_path_factory.mktemp("moved") / "leat")


@pytest.fixture(scope="session")
def programs(prefix: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the compiled examples."""
    built = tmp_path_factory.mktemp("programs")
    folder = next(prefix.glob("**/pkgconfig"))
    known = environment(PKG_CONFIG_PATH=str(folder))
    for source in sorted(EXAMPLES.glob("*.c")):
        text = source.read_text()
        libraries = ["leat", *(name for header, name in LIBRARIES.items() if f"<{header}>" in text)]
        if "sqlite3" in libraries and not HAS_SQLITE:
            continue
        flags = command("pkg-config", "--cflags", "--libs", *libraries, env=known).split()
        program = built / source.stem
        warnings = ["-Wall", "-Wextra", "-Werror", "-pedantic"]
        command("cc", *warnings, source, "-o", program, *flags, f"-Wl,-rpath,{folder.parent}")
    return built


@pytest.fixture
def run(programs: Path, tmp_path: Path) -> Run:
    """Runs an example in a folder (an empty one) and answers what it printed."""

    def run(name: str, *arguments: str | Path, cwd: Path = tmp_path) -> str:
        return command(programs / name, *arguments, cwd=cwd, env=environment())

    return run


def counts(printed: str) -> Counter[str]:
    """The last count of each word, of lines such as `2> (mill,2)`."""
    last = re.findall(r"^(?:\d+> )?\((.*),(\d+)\)$", printed, re.M)
    return Counter({word: int(count) for word, count in last})


def test_every_example_is_short_and_tested(programs: Path) -> None:
    assert {p.name for p in programs.iterdir()} == {
        "01_word_count",
        "02_push_and_callback",
        "03_python_function",
        "04_host_loop",
        "05_windows",
        "06_state_and_timers",
        "07_custom_operator",
        "08_loop",
        "09_exactly_once_sink",
        *(["10_sqlite_sink"] if HAS_SQLITE else []),
    }
    for source in EXAMPLES.glob("*.c"):
        limit = 120 if source.stem == "10_sqlite_sink" else 60
        assert len(source.read_text().splitlines()) < limit, source


def test_word_count(run: Run, tmp_path: Path) -> None:
    assert counts(run("01_word_count")) == Counter(VERSE.split())
    license_text = (ROOT / "LICENSE").read_text()
    assert counts(run("01_word_count", cwd=ROOT)) == Counter(license_text.split())
    (tmp_path / "text").write_text("a b\nb\n")
    assert counts(run("01_word_count", "text")) == {"a": 1, "b": 2}


def test_word_count_of_a_missing_file_fails(programs: Path) -> None:
    done = subprocess.run(
        [programs / "01_word_count", "absent"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "cannot open 'absent': No such file or directory" in done.stderr


def test_push_and_callback(run: Run) -> None:
    assert run("02_push_and_callback").splitlines() == [
        "kitchen: 19.5",
        "cellar: 11.0",
        "kitchen: 22.0",
        "cellar: 11.0",
    ]


@needs_python
def test_python_function(run: Run) -> None:
    kept = ["while", "is", "and", "yield"]
    assert run("03_python_function").split() == ["process:", *kept, "thread:", *kept]


@needs_python
@pytest.mark.parametrize("mode", ["process", "thread"])
def test_python_function_beside_the_program(run: Run, programs: Path, mode: str) -> None:
    expected = [f"{mode}:", "while", "stream", "turns", "yield"]
    assert run("03_python_function", mode, "texts:is_long", cwd=EXAMPLES).split() == expected
    beside = programs / "texts_beside.py"
    beside.write_bytes((EXAMPLES / "texts.py").read_bytes())
    try:
        assert run("03_python_function", mode, "texts_beside:is_long").split() == expected
    finally:
        beside.unlink()


@needs_python
@pytest.mark.parametrize("mode", ["process", "thread"])
def test_working_directory_does_not_shadow_the_standard_library(
    run: Run, tmp_path: Path, mode: str
) -> None:
    for name in ("keyword", "socket", "struct", "sysconfig"):
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('the wrong module')\n")
    assert "yield" in run("03_python_function", mode)


def test_host_loop(run: Run) -> None:
    assert run("04_host_loop") == "0 to 99999 are 4999950000 together\n"


def test_windows(run: Run) -> None:
    assert sorted(run("05_windows").splitlines()) == [
        "(cellar,11,4000)",
        "(cellar,12,13000)",
        "(kitchen,21,2000)",
        "(kitchen,23,3000)",
        "cellar from 13000 to 18000: 1 readings",
        "cellar from 4000 to 9000: 1 readings",
        "kitchen from 1000 to 8000: 2 readings",
    ]


def test_loop(run: Run) -> None:
    printed = re.findall(r"^\d> \((\d+),1,(\d+)\)$", run("08_loop"), re.M)
    steps = {1: 3, 2: 1, 3: 7, 4: 2, 5: 5, 6: 8, 7: 16, 8: 3, 9: 19, 10: 6}
    assert {int(number): int(count) for number, count in printed} == steps


def printed(text: str) -> list[str]:
    """Lines without the number of the subtask, sorted."""
    return sorted(re.sub(r"^\d+> ", "", line) for line in text.splitlines())


def test_state_and_timers(run: Run) -> None:
    assert printed(run("06_state_and_timers")) == ["(1,13001)", "(2,7002)"]


def test_custom_operator(run: Run) -> None:
    assert printed(run("07_custom_operator")) == ["(back,open)", "(front,open)", "(front,shut)"]


def test_exactly_once_sink(programs: Path, tmp_path: Path) -> None:
    kills = 0
    while True:
        arguments = [tmp_path, *(["latest"] if kills else [])]
        before = len(list(tmp_path.glob("[!.]*")))
        with subprocess.Popen([programs / "09_exactly_once_sink", *arguments]) as job:
            until = time.monotonic() + SECONDS
            while job.poll() is None and time.monotonic() < until:
                if kills < 3 and len(list(tmp_path.glob("[!.]*"))) > before + 3:
                    job.kill()
        if job.returncode != -signal.SIGKILL:
            break
        kills += 1
    assert (job.returncode, kills) == (0, 3)
    written = [int(n) for f in tmp_path.glob("[!.]*") for n in f.read_text().split()]
    assert sorted(written) == list(range(1, 20001))


@needs_sqlite
def test_sqlite_sink(programs: Path, tmp_path: Path) -> None:
    kills = 0
    query = "SELECT n, square FROM squares"
    while True:
        arguments = [tmp_path, *(["latest"] if kills else [])]
        before = len(rows(tmp_path, query))
        with subprocess.Popen([programs / "10_sqlite_sink", *arguments]) as job:
            until = time.monotonic() + SECONDS
            while job.poll() is None and time.monotonic() < until:
                if kills < 3 and len(rows(tmp_path, query)) > before + 1000:
                    job.kill()
        if job.returncode != -signal.SIGKILL:
            break
        kills += 1
    assert (job.returncode, kills) == (0, 3)
    assert sorted(rows(tmp_path, query)) == [(n, n * n) for n in range(1, 20001)]
    assert {s for (s,) in rows(tmp_path, "SELECT subtask FROM committed")} == {0, 1}


def rows(folder: Path, query: str) -> list[tuple[int, ...]]:
    """Of the example's database; none while it has not begun."""
    if not (folder / "squares.db").exists():
        return []
    with contextlib.closing(sqlite3.connect(folder / "squares.db", timeout=10)) as database:
        try:
            return database.execute(query).fetchall()
        except sqlite3.OperationalError as e:
            assert "no such table" in str(e)
            return []


def test_cmake_package(prefix: Path, tmp_path: Path) -> None:
    (tmp_path / "CMakeLists.txt").write_text(f"""\
cmake_minimum_required(VERSION 3.20)
project(words C)
find_package(leat 0.1 REQUIRED)
add_executable(words {EXAMPLES / "01_word_count.c"})
target_link_libraries(words PRIVATE leat::leat)
""")
    command("cmake", "-B", tmp_path / "b", "-S", tmp_path, f"-DCMAKE_PREFIX_PATH={prefix}")
    command("cmake", "--build", tmp_path / "b")
    printed = command(tmp_path / "b/words", cwd=tmp_path, env=environment())
    assert counts(printed) == Counter(VERSE.split())
