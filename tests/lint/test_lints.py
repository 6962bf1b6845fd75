"""Each lint accepts a small good tree and finds the one bad thing that is put into it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import clang_format
import headers
import layers
import names
import pytest
import run
import sizes
import statics
import symbols
import text
import tree

GOOD = {
    "include/leat.h": '/* All of it. */\n#include "leat/base.h"\n',
    "include/leat/base.h": "/* The base. */\nint leat_version(void);\n",
    "src/leat.c": '/* All. */\n#include "operators/map.h"\n#include "runtime/job/job.h"\n',
    "src/runtime/bridge.h": '/* For bridges. */\n#include "runtime/base/arena.h"\n',
    "src/runtime/base/arena.h": "/* Memory. */\n#include <stddef.h>\n",
    "src/runtime/base/arena.c": '/* . */\n#include "arena.h"\n#include <uv.h>\n#include <zlib.h>\n',
    "src/runtime/job/job.h": '/* A job. */\n#include "runtime/bridge.h"\n#include <leat/base.h>\n',
    "src/operators/map.h": '/* map. */\n#include "leat/base.h"\n#include "runtime/base/arena.h"\n',
    "src/pybridge/py_error.c": "/* Errors. */\n#include <Python.h>\n",
    "examples/c/01.c": "/* An example. */\n#include <leat.h>\n",
}


def plant(root: Path, contents: dict[str, str]) -> Path:
    for name, content in contents.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return root


@pytest.fixture
def good(tmp_path: Path) -> Path:
    (tmp_path / ".clang-format").write_text(
        (Path(__file__).parents[2] / ".clang-format").read_text()
    )
    return plant(tmp_path, GOOD)


@pytest.mark.parametrize("lint", [layers, names, text, sizes, statics], ids=lambda it: it.__name__)
def test_good_tree_has_no_findings(good: Path, lint) -> None:
    assert list(lint.check(good)) == []


@pytest.mark.parametrize(
    ("path", "include", "finding"),
    [
        (
            "src/runtime/base/bad.c",
            '"runtime/job/job.h"',
            "base must not see src/runtime/job/job.h",
        ),
        ("src/runtime/data/bad.c", '"runtime/bridge.h"', "data must not see src/runtime/bridge.h"),
        ("src/runtime/flow/bad.c", '"operators/map.h"', "flow must not see src/operators/map.h"),
        ("src/operators/bad.c", '"runtime/job/job.h"', "operators must not see"),
        ("src/operators/bad.c", '"runtime/bridge.h"', "operators must not see"),
        ("src/connectors/bad.c", '"operators/map.h"', "connectors must not see"),
        ("src/launcher/bad.c", '"operators/map.h"', "launcher must not see"),
        ("src/pybridge/bad.c", '"runtime/job/job.h"', "pybridge must not see"),
        ("include/leat/bad.h", '"../../src/runtime/base/arena.h"', "public must not see"),
        ("examples/c/02.c", '"../../src/runtime/base/arena.h"', "program must not see"),
        ("tests/system/test_bad.c", '"../../src/operators/map.h"', "program must not see"),
        ("src/operators/bad.c", "<Python.h>", "Python.h is for pybridge only"),
        ("include/leat/bad.h", "<uv.h>", "uv.h is for base, connectors, job only"),
        ("src/runtime/flow/bad.c", "<uv.h>", "uv.h is for base, connectors, job only"),
        ("src/connectors/bad.c", "<zlib.h>", "zlib.h is for base only"),
        ("src/operators/bad.c", '"nowhere.h"', '"nowhere.h" is not in the tree'),
        ("src/attic/bad.c", "<stdio.h>", "lies in no folder"),
        ("src/runtime/bad.c", "<stdio.h>", "lies in no folder"),
        ("src/bad.c", "<stdio.h>", "lies in no folder"),
    ],
)
def test_layers_finds_wrong_include(good: Path, path: str, include: str, finding: str) -> None:
    plant(good, {path: f"/* Bad. */\n  #  include {include}\n"})
    findings = list(layers.check(good))
    assert len(findings) == 1
    assert findings[0].startswith(path)
    assert finding in findings[0]


def test_names_finds_second_file_of_a_name(good: Path) -> None:
    plant(good, {"src/runtime/job/map.h": "/* Another. */\n"})
    assert list(names.check(good)) == [
        "src/runtime/job/map.h: there is src/operators/map.h already"
    ]


def test_names_finds_missing_head_comment(good: Path) -> None:
    plant(good, {"src/operators/bad.c": "\nint bad;\n"})
    assert list(names.check(good)) == [
        "src/operators/bad.c:1: no head comment that says what the file is"
    ]


@pytest.mark.parametrize(
    ("content", "finding"),
    [
        ("a " + "TO" + "DO\n", "marks unfinished work"),
        ("/* FIX" + "ME: soon */\n", "marks unfinished work"),
        ("a \n", "white space at the end"),
        ("a\tb\n", "a tab"),
        ("a", "no newline at the end"),
        ("/* " + "a " * 48 + "a */\n", "103 columns"),
    ],
)
def test_text_finds_bad_line(good: Path, content: str, finding: str) -> None:
    plant(good, {"src/operators/bad.c": content})
    findings = list(text.check(good))
    assert len(findings) == 1
    assert finding in findings[0]


def c_function(name: str, lines: int) -> str:
    return f"static int {name}(int a,\n    int b) {{\n" + "    a++;\n" * (lines - 3) + "}\n"


def test_sizes_measures_c_functions() -> None:
    source = "\n".join(
        [
            '#include "a.h"',
            'extern "C" {',
            "typedef struct pair { int a; } pair;",
            "static const int table[] = {1, 2};",
            "/* a brace { in a comment */",
            "#define OPEN(x) \\\n    if (x) {",
            c_function("short_one", 5) + c_function("long_one", 90),
            "int text(void) {\n    return puts(\"}{\" + '{');\n}",
            "}",
        ]
    )
    found = [(function.name, function.lines) for function in sizes.c_functions(source)]
    assert found == [("short_one", 5), ("long_one", 90), ("text", 3)]


@pytest.mark.parametrize(
    ("path", "content", "finding"),
    [
        ("src/operators/bad.c", "/* Bad. */\n" + c_function("bad", 81), "bad() has 81 lines"),
        ("src/operators/bad.c", "/* Bad. */\n" + "int a;\n" * 700, "file has 701 lines"),
        ("python/leat/bad.py", "def bad():\n" + "    a = 1\n" * 80, "bad() has 81 lines"),
        ("python/leat/bad.py", "a = 1\n" * 701, "file has 701 lines"),
    ],
)
def test_sizes_finds_what_is_too_long(good: Path, path: str, content: str, finding: str) -> None:
    plant(good, {path: content})
    findings = list(sizes.check(good))
    assert len(findings) == 1
    assert finding in findings[0]


def test_sizes_does_not_count_docstrings(good: Path) -> None:
    docstring = '    """A\n' + "    line.\n" * 50 + '    """\n'
    plant(good, {"python/leat/good.py": "def good():\n" + docstring + "    a = 1\n" * 40})
    assert list(sizes.check(good)) == []


def test_sizes_follows_exceptions(good: Path) -> None:
    plant(good, {"src/operators/bad.c": "/* Bad. */\n" + c_function("bad", 90)})
    plant(good, {"tests/lint/exceptions.txt": "src/operators/bad.c:bad 90 one table in code\n"})
    assert list(sizes.check(good)) == []
    plant(good, {"src/operators/bad.c": "/* Good. */\n"})
    assert list(sizes.check(good)) == [
        "tests/lint/exceptions.txt: src/operators/bad.c:bad needs no exception"
    ]


@pytest.mark.parametrize(
    ("line", "finding"),
    [
        ("static PyObject *cache;", "static pointer"),
        ("static PyObject *cache = NULL;", "static pointer"),
        ("static PyTypeObject *types[3];", "static pointer"),
        ("    static PyObject *inside_a_function = NULL;", "static pointer"),
        ("static struct { int a; } x; static _Thread_local PyObject *last;", "static pointer"),
        ("static PyTypeObject stream_type = {", "static type"),
        ("PyGILState_STATE state = PyGILState_Ensure();", "PyGILState_"),
    ],
)
def test_statics_finds_shared_objects(good: Path, line: str, finding: str) -> None:
    plant(good, {"src/pybridge/bad.c": f"/* Bad. */\n{line}\n"})
    findings = list(statics.check(good))
    assert findings
    assert all(found.startswith("src/pybridge/bad.c:2: ") for found in findings)
    assert finding in findings[0]


@pytest.mark.parametrize(
    "line",
    [
        "static PyObject *make(PyObject *module, PyObject *args);",
        "static PyObject *make(PyObject *module) {",
        "static inline PyObject *item(PyObject *tuple, int i) {",
        "static PyMethodDef methods[] = {",
        "/* static PyObject *cache; PyGILState_Ensure() */",
        "static int use(state *s) { PyObject *local = NULL; }",
    ],
)
def test_statics_accepts(good: Path, line: str) -> None:
    plant(good, {"src/pybridge/fine.c": f"/* Fine. */\n{line}\n"})
    assert list(statics.check(good)) == []


def test_headers_good_tree_has_no_findings(good: Path) -> None:
    assert list(headers.check(good)) == []


@pytest.mark.parametrize(
    ("path", "line", "standard"),
    [
        ("include/leat/bad.h", "size_t leat_bad(void);", "c17"),
        ("include/leat/bad.h", "static inline int *f(void *p) { return p; }", "c++17"),
        ("include/leat/bad.h", "typedef struct empty {} empty;", "c17"),
        ("src/operators/bad.h", "size_t bad(void);", "c17"),
    ],
)
def test_headers_finds_what_does_not_compile_alone(
    good: Path, path: str, line: str, standard: str
) -> None:
    plant(good, {path: f"/* Bad. */\n{line}\n"})
    findings = [found for found in headers.check(good) if f"as {standard}:" in found]
    assert len(findings) == 1
    assert findings[0].startswith(path)


def test_clang_format_finds_unformatted_file(good: Path) -> None:
    try:
        clang_format.program()
    except tree.NotRun as reason:
        pytest.skip(str(reason))
    assert list(clang_format.check(good)) == []
    plant(good, {"src/operators/bad.c": "/* Bad. */\nint  bad( void ){return 1;}\n"})
    assert list(clang_format.check(good)) == [
        "src/operators/bad.c:2: not formatted; run clang-format -i src/operators/bad.c"
    ]


def test_clang_format_of_another_version_is_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(tree.NotRun, match="clang-format 14 is not installed"):
        clang_format.program()


def shared(path: Path, source: str, *options: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    command = ["cc", "-shared", "-fPIC", "-x", "c", "-", "-o", str(path), *options]
    subprocess.run(command, input=source, text=True, check=True)


def built(tmp_path: Path, library: str, module: str) -> list[str]:
    plant(tmp_path, {"src/runtime/base/buf.h": "LEAT_API void leati_buf_grow(void);\n"})
    folder = tmp_path / "lib"
    shared(folder / "libleat.so", library)
    shared(folder / "leat/python3.11/leat/_leat.cpython-311-x86_64-linux-gnu.so", module)
    return list(symbols.check(tmp_path, tmp_path))


LIBRARY = "void leat_push(void) {} void leati_bridge_register(void) {} void leati_buf_grow(void) {}"
MODULE = "void leat_push(void); void PyInit__leat(void) { leat_push(); }"


def test_symbols_accepts_the_contract(tmp_path: Path) -> None:
    assert built(tmp_path, LIBRARY, MODULE) == []


@pytest.mark.parametrize(
    ("library", "module", "finding"),
    [
        ("void leati_gate_next(void) {}", "", "libleat.so: exports leati_gate_next"),
        ("void Py_Foo(void); void leat_a(void) { Py_Foo(); }", "", "libleat.so: needs Py_Foo"),
        ("", "void helper(void) {}", "exports helper"),
        ("", "void PyGILState_Ensure(void); void a(void) { PyGILState_Ensure(); }", "PyGILState_"),
        ("", "void leati_gate(void); void a(void) { leati_gate(); }", "does not export"),
    ],
)
def test_symbols_finds(tmp_path: Path, library: str, module: str, finding: str) -> None:
    hidden = module.replace("void a(", '__attribute__((visibility("hidden"))) void a(')
    findings = built(tmp_path, LIBRARY + library, MODULE + hidden)
    assert any(finding in found for found in findings)


def test_symbols_without_a_build_is_not_run(tmp_path: Path) -> None:
    with pytest.raises(tree.NotRun):
        list(symbols.check(tmp_path, tmp_path))


def test_run_answers_findings_by_exit_code(
    good: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["run.py", "--root", str(good), "layers", "names"])
    assert run.main() == 0
    assert "lints: 2 passed, 0 failed" in capsys.readouterr().out
    plant(good, {"src/attic/bad.c": "/* Bad. */\n"})
    assert run.main() == 1
    assert "lints: 1 passed, 1 failed" in capsys.readouterr().out
    monkeypatch.setattr("sys.argv", ["run.py", "--root", str(good), "symbols"])
    assert run.main() == run.NOT_RUN
