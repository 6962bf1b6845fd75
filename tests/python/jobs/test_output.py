"""What jobs print: records in PyFlink's format, and what functions write, in whole lines."""

from __future__ import annotations

import datetime
import subprocess
from decimal import Decimal
from pathlib import Path

import pytest
from job_records import Point
from leat.common import Row, RowKind, Types
from leat.common.time import Instant


def deleted(*values):
    row = Row(*values)
    row.set_row_kind(RowKind.DELETE)
    return row


# What the real PyFlink 2.3.0 prints; what is marked fails there, or prints a Java address.
UNTYPED = [
    ((1, "a"), "(1, 'a')"),
    (Row(1, "b"), "<Row(1, 'b')>"),
    (Row(x=1, y="c"), "Row(x=1, y='c')"),
    (None, "None"),
    (1.5, "1.5"),
    (1.0, "1.0"),
    (1e20, "1e+20"),
    (1e-7, "1e-07"),
    (float("nan"), "nan"),
    (float("inf"), "inf"),
    (True, "True"),
    (datetime.date(2024, 2, 3), "2024-02-03"),
    (datetime.time(4, 5, 6, 789), "04:05:06.000789"),
    (datetime.datetime(2024, 2, 3, 4, 5, 6, 700000), "2024-02-03 04:05:06.700000"),
    (b"ab\xff", "b'ab\\xff'"),  # fails there
    ([1, "q"], "[1, 'q']"),
    ({"k": 1}, "{'k': 1}"),
    ("s", "s"),
    (Decimal("1.50"), "1.50"),
    (2**70, "1180591620717411303424"),
    ({1}, "{1}"),
    (1 + 2j, "(1+2j)"),
    ((None, True, 1.0, "x", (1, 2)), "(None, True, 1.0, 'x', (1, 2))"),
    (bytearray(b"xy"), "bytearray(b'xy')"),
    ([None], "[None]"),
    (datetime.timedelta(seconds=3), "0:00:03"),
    (Point(1), "Point(x=1, y=0, tags=[])"),
]

TYPED = [
    (Types.TUPLE([Types.INT(), Types.STRING()]), (1, "a"), "(1,a)"),
    (Types.TUPLE([Types.INT(), Types.STRING()]), (None, "a"), "(null,a)"),  # fails there
    (Types.ROW([Types.INT(), Types.STRING()]), Row(1, "a"), "+I[1,a]"),
    (Types.ROW_NAMED(["x", "y"], [Types.INT(), Types.STRING()]), Row(x=1, y="a"), "+I[1,a]"),
    (Types.ROW([Types.INT(), Types.STRING()]), Row(None, None), "+I[None,None]"),
    (Types.ROW([Types.INT(), Types.BOOLEAN()]), deleted(1, True), "-D[1,True]"),
    (Types.ROW([Types.SQL_DATE()]), Row(datetime.date(2024, 1, 2)), "+I[2024-01-02]"),
    (Types.STRING(), "s", "s"),
    (Types.STRING(), None, "null"),  # fails there
    (Types.FLOAT(), 1.5, "1.5"),
    (Types.FLOAT(), 0.1, "0.1"),
    (Types.FLOAT(), 16777216.0, "1.6777216E7"),
    (Types.TUPLE([Types.FLOAT(), Types.DOUBLE()]), (0.1, 0.1), "(0.1,0.1)"),
    (Types.LIST(Types.FLOAT()), [0.3], "[0.3]"),
    (Types.MAP(Types.STRING(), Types.FLOAT()), {"a": 0.7}, "{a=0.7}"),
    (Types.DOUBLE(), 1e20, "1.0E20"),
    (Types.DOUBLE(), 1.0, "1.0"),
    (Types.DOUBLE(), 1e-7, "1.0E-7"),
    (Types.DOUBLE(), float("nan"), "NaN"),
    (Types.BOOLEAN(), True, "true"),
    (Types.SQL_DATE(), datetime.date(2024, 2, 3), "2024-02-03"),
    (Types.SQL_TIME(), datetime.time(4, 5, 6, 789000), "04:05:06"),
    (
        Types.SQL_TIMESTAMP(),
        datetime.datetime(2024, 2, 3, 4, 5, 6, 700000),
        "2024-02-03 04:05:06.7",
    ),
    (Types.LIST(Types.INT()), [1, 2], "[1, 2]"),
    (Types.MAP(Types.STRING(), Types.INT()), {"a": 1, "b": 2}, "{a=1, b=2}"),
    (Types.BIG_DEC(), Decimal("1.50"), "1.50"),
    (Types.BIG_INT(), 2**70, "1180591620717411303424"),  # fails there
    (Types.CHAR(), "x", "x"),  # prints nothing there
    (Types.PICKLED_BYTE_ARRAY(), Row(1, "a"), "<Row(1, 'a')>"),
    (Types.PRIMITIVE_ARRAY(Types.INT()), [1, 2], "[1, 2]"),  # an address there
    (Types.BASIC_ARRAY(Types.STRING()), ["a", None], "[a, null]"),  # an address there
    (
        Types.TUPLE([Types.TUPLE([Types.INT(), Types.INT()]), Types.LIST(Types.INT())]),
        ((1, 2), [3]),
        "((1,2),[3])",
    ),
]


@pytest.mark.parametrize("through", ["source", "map", "key", "rebalance"])
def test_print_of_untyped_values(make_env, capfd, through):
    stream = make_env(1).from_collection([v for v, _ in UNTYPED])
    if through == "map":
        stream = stream.map(lambda x: x)
    elif through == "key":
        stream = stream.map(lambda x: x).key_by(lambda x: 0)
    elif through == "rebalance":
        stream = stream.map(lambda x: x).rebalance()
    stream.print()
    stream._node.env.execute()
    assert capfd.readouterr().out.splitlines() == [text for _, text in UNTYPED]


@pytest.mark.parametrize("through", ["source", "map"])
def test_print_of_typed_values(env, capfd, through):
    for type_info, value, _ in TYPED:
        stream = env.from_collection(
            [value] if through == "source" else [[value]],
            (type_info if through == "source" else None),
        )
        if through == "map":
            stream = stream.map(lambda x: x[0], type_info)
        stream.print()
        env.execute()
    assert capfd.readouterr().out.splitlines() == [text for _, _, text in TYPED]


@pytest.mark.parametrize("identifier", [None, "id"])
@pytest.mark.parametrize("parallelism", [1, 3])
def test_print_prefix(make_env, capfd, identifier, parallelism):
    env = make_env(parallelism)
    env.from_collection(range(30)).rebalance().map(lambda x: x).print(identifier)
    env.execute()
    lines = capfd.readouterr().out.splitlines()
    heads = {"": range(1)}
    if parallelism > 1:
        heads = {f"{i + 1}> ": range(30) for i in range(parallelism)}
    if identifier and parallelism > 1:
        heads = {f"id:{head}": r for head, r in heads.items()}
    elif identifier:
        heads = {"id> ": range(1)}
    assert {line.rstrip("0123456789") for line in lines} == set(heads)
    assert sorted(int(line.rpartition(" ")[2]) for line in lines) == list(range(30))


def test_print_of_text_with_newlines_and_odd_characters(env, capfd):
    values = ["a\nb", "ä€𝄞", "a\udc80b", "\x00"]
    env.from_collection(values).map(lambda x: x).print()
    env.execute()
    assert capfd.readouterr().out == "a\nb\nä€𝄞\na\\udc80b\n\x00\n"


def test_instant_is_printed(env, capfd):
    env.from_collection([Instant(1, 2_000_000)], Types.INSTANT()).print()
    env.execute()
    assert capfd.readouterr().out.strip() != ""


# --- what functions write -------------------------------------------------------------------------

EARLY = """
import sys
from pyflink.datastream import StreamExecutionEnvironment
env = StreamExecutionEnvironment.get_execution_environment().set_parallelism(1)
env.from_collection(["the record"]).map(lambda x: x).print()
print("before the job")
env.execute()
print("after the job")
"""


def test_job_and_program_print_in_order(leat_run):
    done = leat_run(EARLY)
    assert (done.stdout, done.stderr) == ("before the job\nthe record\nafter the job\n", "")


LOUD = """
import logging, sys, os, threading
from pyflink.datastream import StreamExecutionEnvironment
logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")

def loud(x):
    print("printed", x, "p" * 500)
    print("error", x, "e" * 500, file=sys.stderr)
    logging.getLogger("user").info("logged %d %s", x, "l" * 500)
    sys.stdout.write("piece ")
    sys.stdout.write(f"by piece {x}\\n")
    os.write(1, b"written %d\\n" % x)
    return x

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(4)
env.from_collection(range(200)).rebalance().map(loud).print()
env.execute()
print("after the job")
"""


def test_lines_of_functions_arrive_whole(leat_run):
    done = leat_run(LOUD)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[-1] == "after the job"
    expected = [f"printed {x} {'p' * 500}" for x in range(200)]
    expected += [f"piece by piece {x}" for x in range(200)]
    expected += [f"written {x}" for x in range(200)]
    records = [line for line in lines if line[1:3] == "> "]
    assert sorted(int(line[3:]) for line in records) == list(range(200))
    assert sorted(line for line in lines[:-1] if line not in records) == sorted(expected)
    errors = [f"error {x} {'e' * 500}" for x in range(200)]
    found = done.stderr.splitlines()
    assert sorted(line for line in found if line.startswith("error")) == sorted(errors)
    logged = [line for line in found if "logged" in line]
    assert len(logged) in (0, 200)


@pytest.mark.quick
def test_print_into_a_closed_pipe(mode, tmp_path):
    """`| head -1`: the job ends at once and quietly enough, with a code that says so."""
    from conftest import environment, leat_command

    script = """
import itertools
from pyflink.datastream import StreamExecutionEnvironment
env = StreamExecutionEnvironment.get_execution_environment().set_parallelism(1)
env.from_collection(range(10)).flat_map(lambda x: itertools.count()).print()
env.execute()
"""
    command = leat_command(mode, script, tmp_path)
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
        cwd=tmp_path,
    ) as child:
        assert child.stdout.readline() == "0\n"
        child.stdout.close()
        errors = child.stderr.read()
        assert child.wait(30) == 1
    assert "cannot write 'stdout': Broken pipe" in errors
    assert errors.count("Broken pipe") == 1


def test_print_to_a_full_disk(mode, leat_run):
    script = """
from pyflink.datastream import StreamExecutionEnvironment
env = StreamExecutionEnvironment.get_execution_environment().set_parallelism(1)
env.from_collection(range(10)).map(lambda x: x).print()
env.execute()
"""
    with Path("/dev/full").open("w") as full:
        done = leat_run(script, stdout=full)
    assert done.returncode == 1
    assert "cannot write 'stdout': No space left on device" in done.stderr
