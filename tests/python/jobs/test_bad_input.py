"""What goes wrong, and what is said about it."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from job_records import TwoArguments
from leat.common import Configuration, Types
from leat.common.errors import ConfigurationError, JobError, LeatError
from leat.datastream import StreamExecutionEnvironment
from leat.datastream.functions import MapFunction, ProcessFunction, ReduceFunction


def message(call):
    with pytest.raises(LeatError) as failure:
        call()
    return str(failure.value)


def exactly(text):
    return f"^{re.escape(text)}$"


# --- files ----------------------------------------------------------------------------------------


def test_missing_file(env, tmp_path):
    path = tmp_path / "nowhere"
    env.read_text_file(str(path)).map(len).print()
    expected = f"Text File Source (1/1): cannot open '{path}': No such file or directory"
    assert message(env.execute) == expected


def test_unreadable_file(mode, tmp_path):
    """By a user who may not read it: root may read everything."""
    path = tmp_path / "secret"
    path.write_text("x\n")
    path.chmod(0)
    script = tmp_path / "script.py"
    script.write_text(UNREADABLE)
    tmp_path.chmod(0o755)
    done = subprocess.run(
        [sys.executable, script, mode, path],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == f"lines (1/1): cannot read '{path}': Permission denied\n", done.stderr


UNREADABLE = """
import os, sys
from leat.common import Configuration
from leat.datastream import StreamExecutionEnvironment
configuration = Configuration()
configuration.set_string("python.execution-mode", sys.argv[1])
env = StreamExecutionEnvironment.get_execution_environment(configuration)
env.set_parallelism(1).read_text_file(sys.argv[2]).name("lines").map(len).print()
from leat.common import errors, typeinfo
import cloudpickle, pickle, traceback, leat.shipping, leat.tracebacks, leat.common.types
if os.geteuid() == 0:
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    # Without the capabilities to read and search whatever one likes, root is a user like others.
    class Header(ctypes.Structure):
        _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]
    PR_CAPBSET_DROP, DAC_OVERRIDE, DAC_READ_SEARCH = 24, 1, 2
    for capability in (DAC_OVERRIDE, DAC_READ_SEARCH):
        assert libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0, ctypes.get_errno()
    header, data = Header(0x20080522, 0), (ctypes.c_uint32 * 6)()
    assert libc.capget(ctypes.byref(header), data) == 0
    keep = ~(1 << DAC_OVERRIDE | 1 << DAC_READ_SEARCH) & 0xFFFFFFFF
    data[0] &= keep; data[1] &= keep; data[2] &= keep
    assert libc.capset(ctypes.byref(header), data) == 0, ctypes.get_errno()
try:
    env.execute()
except errors.JobError as e:
    print(e)
"""


@pytest.mark.parametrize("hidden", [False, True])
def test_folder_without_files(env, tmp_path, hidden):
    if hidden:
        (tmp_path / ".hidden").write_text("x")
        (tmp_path / "_more").mkdir()
    env.read_text_file(str(tmp_path)).map(len).print()
    assert message(env.execute) == (
        f"Text File Source (1/1): the folder '{tmp_path}' has no files; "
        "names that begin with '.' or '_' are skipped"
    )


def test_full_disk(env):
    env.from_collection(["x"]).map(lambda x: x).write_as_text("/dev/full")
    assert message(env.execute) == (
        "Text Sink (1/1): cannot write '/dev/full': No space left on device; make room on that disk"
    )


# --- functions ------------------------------------------------------------------------------------


def odd(x):
    raise ValueError(f"odd {x[0]}")


class Odd(MapFunction):
    def map(self, value):
        return odd(value)


@pytest.mark.quick
@pytest.mark.parametrize("function", [odd, Odd()], ids=["callable", "object"])
@pytest.mark.parametrize("chaining", [True, False])
def test_function_that_raises(make_env, results, function, chaining):
    env = make_env(1)
    if not chaining:
        env.disable_operator_chaining()
    stream = env.from_collection([["ä" * 300]]).map(function).name("Oddly").map(lambda x: x)
    with pytest.raises(JobError) as failure:
        results(stream)
    record = f"['{'ä' * 198}"
    odd_text = "odd " + "ä" * 300
    expected = f"Oddly (1/1): ValueError: {odd_text}; the record was {record}"
    assert str(failure.value) == expected
    cause = failure.value.__cause__
    assert type(cause) is ValueError
    assert cause.args == (odd_text,)
    remote = str(cause.__cause__)
    assert remote.startswith("Traceback (most recent call last):\n")
    assert remote.rstrip().endswith(f"ValueError: {odd_text}")
    files = re.findall(r'File "(.*?)", line \d+, in (\w+)', remote)
    assert [name for _, name in files] == (["odd"] if function is odd else ["map", "odd"])
    assert {file for file, _ in files} == {__file__}


def test_function_that_raises_knows_its_subtask_and_key(make_env, results):
    class Refusing(ReduceFunction):
        def reduce(self, value1, value2):
            raise KeyError(value2)

    env = make_env(2)
    stream = env.from_collection([("a", 1), ("a", 2)]).key_by(lambda t: t[0]).reduce(Refusing())
    text = message(lambda: results(stream.name("Refusal")))
    pair = r"\('a', [12]\)"  # whichever came second
    expected = rf"Refusal \([12]/2\): KeyError: {pair}; the record was {pair}, its key 'a'"
    assert re.fullmatch(expected, text)


def test_record_of_a_native_source_is_shown_as_python_shows_it(env, results, tmp_path):
    path = tmp_path / "text"
    path.write_text("it's\tone line\n")
    text = message(lambda: results(env.read_text_file(str(path)).map(lambda x: 1 / 0)))
    assert text == (
        'Map (1/1): ZeroDivisionError: division by zero; the record was "it\'s\\tone line"'
    )


def test_record_whose_repr_fails(env, results):
    class Shy:
        def __repr__(self):
            raise RuntimeError("shy")

    text = message(lambda: results(env.from_collection([1]).map(lambda x: Shy()).map(len)))
    assert text.endswith("; the record was <Shy whose repr() fails>")


def test_exception_with_causes_shows_them(env, results):
    def outer(x):
        try:
            int("x")
        except ValueError as e:
            raise LookupError("outer") from e

    with pytest.raises(JobError) as failure:
        results(env.from_collection([1]).map(outer))
    remote = str(failure.value.__cause__.__cause__)
    assert "ValueError: invalid literal" in remote
    assert "direct cause" in remote
    assert type(failure.value.__cause__) is LookupError


def test_exception_with_a_constructor_of_its_own(env, results):
    def lost(x):
        raise TwoArguments("key", "map")

    with pytest.raises(JobError, match="TwoArguments: key in map") as failure:
        results(env.from_collection([1]).map(lost))
    assert type(failure.value.__cause__) is TwoArguments


def test_exception_group(env, results):
    def many(x):
        raise ExceptionGroup("many", [ValueError("one"), KeyError("two")])

    with pytest.raises(JobError, match="ExceptionGroup: many") as failure:
        results(env.from_collection([1]).map(many))
    assert type(failure.value.__cause__) is ExceptionGroup
    assert "KeyError: 'two'" in str(failure.value.__cause__.__cause__)


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, GeneratorExit, StopIteration])
def test_exceptions_that_end_programs_end_the_job_only(env, results, kind):
    def leave(x):
        raise kind(3)

    with pytest.raises(JobError, match=rf"Leave \(1/1\): {kind.__name__}: 3") as failure:
        results(env.from_collection([1]).map(leave).name("Leave"))
    assert type(failure.value.__cause__) is kind


def test_sys_exit(env, results):
    def leave(x):
        sys.exit(4)

    text = message(lambda: results(env.from_collection([1]).map(leave)))
    assert text == "Map (1/1): SystemExit: 4; the record was 1"


def test_deep_recursion(env, results):
    def deeper(x):
        return deeper(x)

    with pytest.raises(JobError, match="RecursionError") as failure:
        results(env.from_collection([1]).map(deeper))
    assert type(failure.value.__cause__) is RecursionError


def test_generator_that_raises_in_its_middle(env, results):
    def broken(x):
        yield from range(2000)
        raise ValueError("middle")

    text = message(lambda: results(env.from_collection(["r"]).flat_map(broken)))
    assert text == "FlatMap (1/1): ValueError: middle; the record was 'r'"


def test_wrong_type_for_the_declared_output(env, results):
    types = Types.TUPLE([Types.STRING(), Types.INT()])
    text = message(lambda: results(env.from_collection(["a"]).map(lambda x: (x, x), types)))
    assert text == (
        "Map (1/1): expected INT, got str 'a' at field 1 of TUPLE<STRING,INT>; the record was 'a'"
    )


@pytest.mark.parametrize(("made", "name"), [(None, "None"), (5, "int"), (len, "builtin_function")])
def test_flat_map_of_something_else(env, results, made, name):
    text = message(lambda: results(env.from_collection([1]).flat_map(lambda x: made)))
    assert "FlatMap (1/1): " in text
    assert f"the function returned {name}" in text
    assert "; it must return an iterable, or yield its results; the record was 1" in text


def test_process_of_something_else(env, results):
    class Five(ProcessFunction):
        def process_element(self, value, ctx):
            return 5

    text = message(lambda: results(env.from_collection([1]).process(Five())))
    assert "the function returned int; it must return an iterable, or yield its results" in text


@pytest.mark.parametrize("count", [0, 2])
def test_wrong_number_of_parameters(env, results, count):
    function = (lambda: 1) if count == 0 else (lambda a, b: 1)
    with pytest.raises(JobError, match="TypeError") as failure:
        results(env.from_collection([1]).map(function))
    assert type(failure.value.__cause__) is TypeError


@pytest.mark.parametrize("bad", [None, 5, "name"])
def test_no_function(env, bad):
    with pytest.raises(TypeError, match="The input must be a MapFunction or a callable function"):
        env.from_collection([1]).map(bad)


# --- settings -------------------------------------------------------------------------------------

SETTINGS = [
    (
        "parallelism.defualt",
        "2",
        "parallelism.defualt: no such configuration key; did you mean parallelism.default?",
    ),
    (
        "python.execution-mode",
        "thraed",
        "python.execution-mode: 'thraed' is no value of it; it takes one of: process thread",
    ),
    (
        "parallelism.default",
        "two",
        "parallelism.default: 'two' is no value of it; it takes a whole number",
    ),
    (
        "execution.buffer-timeout.interval",
        "soon",
        "execution.buffer-timeout.interval: 'soon' is no value of it; it takes a duration such as "
        "200 ms, 10 s, 1 min; a plain number is ms",
    ),
]


@pytest.mark.parametrize(("key", "value", "text"), SETTINGS)
def test_wrong_setting(key, value, text):
    configuration = Configuration()
    configuration.set_string(key, value)
    with pytest.raises(ConfigurationError, match=exactly(f"leat: configuration: {text}")):
        StreamExecutionEnvironment.get_execution_environment(configuration)


@pytest.mark.parametrize(("key", "value", "text"), SETTINGS)
def test_wrong_setting_of_the_command(leat_run, key, value, text):
    script = (
        "from pyflink.datastream import *\nStreamExecutionEnvironment.get_execution_environment()"
    )
    done = leat_run(script, settings=(f"{key}={value}",))
    assert done.returncode == 2
    assert done.stderr.rstrip().endswith(f"leat: -D: configuration: {text}")


@pytest.mark.parametrize("bad", [0, -5])
def test_parallelism_below_one(env, bad):
    with pytest.raises(ValueError, match=rf"must be at least 1, not {bad}"):
        env.set_parallelism(bad)
    with pytest.raises(ValueError, match=rf"must be at least 1, not {bad}"):
        env.from_collection([1]).map(lambda x: x).set_parallelism(bad)


def test_parallelism_above_the_maximum(env):
    env.set_max_parallelism(2)
    env.from_collection([1]).map(lambda x: x).set_parallelism(3).print()
    with pytest.raises(Exception, match="parallelism 3 is above the maximum of 2"):
        env.execute()


def test_empty_graph(env):
    text = "execute: there is nothing to run; add a source, and a sink at the end"
    with pytest.raises(RuntimeError, match=exactly(text)):
        env.execute()


def test_two_operators_of_one_uid(env):
    env.from_collection([1]).map(lambda x: x).uid("u").map(lambda x: x).uid("u").print()
    text = "plan: the uid 'u' is that of two operators, 'Map' and 'Map'; give each its own"
    with pytest.raises(ValueError, match=exactly(text)):
        env.execute()


def test_environment_goes_on_after_a_failure(env, results):
    with pytest.raises(JobError):
        results(env.from_collection([1]).map(lambda x: 1 / 0))
    assert results(env.from_collection([2]).map(lambda x: x)) == [2]


# --- as a program ---------------------------------------------------------------------------------

FAILING = """
from pyflink.datastream import StreamExecutionEnvironment

def odd(x):
    raise ValueError(f"odd {x}")

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.from_collection([7]).map(odd).name("Oddly").print()
env.execute("failing")
"""


def test_failing_program_prints_the_users_frames_only(leat_run, tmp_path):
    done = leat_run(FAILING)
    assert (done.returncode, done.stdout) == (1, "")
    script = tmp_path / "script.py"
    errors = re.sub(r"\n +[~^]+\n", "\n", done.stderr)  # marks, from Python 3.13 on
    assert errors == (
        "leat._leat.RemoteTraceback: Traceback (most recent call last):\n"
        f'  File "{script}", line 5, in odd\n'
        '    raise ValueError(f"odd {x}")\n'
        "ValueError: odd 7\n"
        "\n"
        "\n"
        "The above exception was the direct cause of the following exception:\n"
        "\n"
        "ValueError: odd 7\n"
        "\n"
        "The above exception was the direct cause of the following exception:\n"
        "\n"
        "Traceback (most recent call last):\n"
        f'  File "{script}", line 10, in <module>\n'
        '    env.execute("failing")\n'
        "leat.common.errors.JobError: Oddly (1/1): ValueError: odd 7; the record was 7\n"
    )


def test_program_with_a_function_that_exits_fails_with_1(leat_run):
    done = leat_run(FAILING.replace('raise ValueError(f"odd {x}")', "raise SystemExit(5)"))
    assert done.returncode == 1
    assert "Oddly (1/1): SystemExit: 5; the record was 7" in done.stderr


@pytest.mark.parametrize("missing", ["script", "module"])
def test_program_that_cannot_begin(leat_run, missing, tmp_path):
    if missing == "script":
        done = leat_run(tmp_path / "nowhere.py")
        assert done.returncode == 2
        assert (
            f"leat: {tmp_path}/nowhere.py: cannot be read (No such file or directory)"
            in done.stderr
        )
    else:
        done = leat_run("import nowhere_at_all")
        assert done.returncode == 1
        assert "ModuleNotFoundError: No module named 'nowhere_at_all'" in done.stderr
