"""JdbcSink: rows in a SQLite database, each once whatever fails; what it says when it can't."""

from __future__ import annotations

import random
import re
import sqlite3
import subprocess
import time
from contextlib import closing
from datetime import date, datetime
from datetime import time as day_time
from decimal import Decimal

import pytest
from conftest import environment, leat_command
from job_records import Slow
from leat.common import Row, Types
from leat.common.errors import JobError
from leat.datastream.connectors.jdbc import JdbcConnectionOptions, JdbcExecutionOptions, JdbcSink
from leat.datastream.functions import SourceFunction

NUMBERS = 400
ROW = Types.ROW_NAMED(["number", "word"], [Types.LONG(), Types.STRING()])
SQL = "INSERT INTO found VALUES (?, ?)"


def options(path):
    return JdbcConnectionOptions.JdbcConnectionOptionsBuilder().with_url(f"jdbc:sqlite:{path}")


def execution(**given):
    builder = JdbcExecutionOptions.builder()
    for name, number in given.items():
        getattr(builder, f"with_{name}")(number)
    return builder.build()


def sink(path, sql=SQL, row=ROW, **given):
    return JdbcSink.sink(sql, row, options(path).build(), execution(**given))


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "found.db"
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE found (number INTEGER NOT NULL, word TEXT)")
    return path


def ask(path, sql):
    with closing(sqlite3.connect(path)) as db:
        return db.execute(sql).fetchall()


def numbers_in(path):
    return sorted(n for (n,) in ask(path, "SELECT number FROM found"))


def left_over(path):
    return sorted(f.name for f in path.parent.glob(f"{path.name}-leat-*"))


def row_of(number):
    return Row(number, f"word {number}")


def rows(env, tmp_path, *at):
    stream = env.from_collection(list(range(NUMBERS)), Types.LONG()).rebalance()
    return stream.map(Slow(tmp_path, *at)).map(row_of, ROW)


def settings(tmp_path, **more):
    return {
        "execution.checkpointing.interval": "15ms",
        "execution.checkpointing.dir": str(tmp_path / "checkpoints"),
        "restart-strategy.type": "fixed-delay",
        "restart-strategy.fixed-delay.attempts": "8",
        "restart-strategy.fixed-delay.delay": "1ms",
        **more,
    }


# --- exactly once -------------------------------------------------------------------------------


@pytest.mark.parametrize("parallelism", [1, 3])
@pytest.mark.parametrize("batch_size", [7, 5000])
def test_failures_lose_and_double_nothing(make_env, tmp_path, database, parallelism, batch_size):
    at = random.Random(parallelism + batch_size).sample(range(NUMBERS), 4)
    env = make_env(parallelism, **settings(tmp_path))
    rows(env, tmp_path, *at).add_sink(sink(database, batch_size=batch_size))
    env.execute()
    assert len(list(tmp_path.glob("tripped-*"))) == 4
    assert numbers_in(database) == list(range(NUMBERS))
    done = ask(
        database, "SELECT writer, count(*), sum(last - first + 1) FROM leat_commits GROUP BY 1"
    )
    assert all(ranges == 1 for _, ranges, _ in done)


def test_a_job_that_does_not_fail_leaves_no_files(make_env, tmp_path, database):
    env = make_env(2, **settings(tmp_path))
    rows(env, tmp_path).add_sink(sink(f"file:{database}?mode=rw", batch_size=3))
    env.execute()
    assert numbers_in(database) == list(range(NUMBERS))
    assert left_over(database) == []


def test_another_parallelism_writes_what_waited(make_env, tmp_path, database):
    never = {"restart-strategy.type": "none"}
    env = make_env(3, **settings(tmp_path, **never))
    rows(env, tmp_path).add_sink(sink(database, max_retries=0)).uid("found")
    with closing(sqlite3.connect(database, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")  # nobody else may write
        with pytest.raises(JobError, match="locked by another program for 5 s; the statement is"):
            env.execute("rescaled")
    assert numbers_in(database) == []
    assert left_over(database)
    env = make_env(2, **settings(tmp_path, **never, **{"execution.savepoint.path": "latest"}))
    rows(env, tmp_path).add_sink(sink(database)).uid("found")
    env.execute("rescaled")
    assert numbers_in(database) == list(range(NUMBERS))
    assert left_over(database) == []


SCRIPT = """\
import sys, time
from leat.common import Configuration, Row, Types
from leat.datastream import StreamExecutionEnvironment
from leat.datastream.connectors.jdbc import JdbcConnectionOptions, JdbcExecutionOptions, JdbcSink

folder, start, parallelism = sys.argv[1:]
c = Configuration()
c.set_string("execution.checkpointing.interval", "15 ms")
c.set_string("execution.checkpointing.dir", folder + "/checkpoints")
if start:
    c.set_string("execution.savepoint.path", start)
env = StreamExecutionEnvironment.get_execution_environment(c)
env.set_parallelism(int(parallelism))
row = Types.ROW([Types.LONG(), Types.STRING()])
options = JdbcConnectionOptions.JdbcConnectionOptionsBuilder()
options = options.with_url(f"jdbc:sqlite:{folder}/found.db").build()
batch = JdbcExecutionOptions.builder().with_batch_size(10).build()

def slowly(n):
    time.sleep(0.001)
    return Row(n, "word")

numbers = env.from_collection(list(range(1500)), Types.LONG()).rebalance().map(slowly, row)
numbers.add_sink(JdbcSink.sink("INSERT INTO found VALUES (?, ?)", row, options, batch)).uid("found")
env.execute("killed")
"""


def test_kills_lose_and_double_nothing(mode, tmp_path, database):
    script = tmp_path / "killed.py"
    script.write_text(SCRIPT)
    draws = random.Random(7)
    ended, starts = False, 0
    while not ended and starts < 40:
        start = "latest" if starts else ""
        arguments = (str(tmp_path), start, str(1 + starts % 3))
        job = subprocess.Popen(
            leat_command(mode, script, tmp_path, *arguments),
            env=environment(),
            stderr=subprocess.PIPE,
            text=True,
        )
        with job:
            try:
                _, said = job.communicate(timeout=0.5 + 0.3 * draws.random() + 0.2 * starts)
                assert job.returncode == 0, said
                ended = True
            except subprocess.TimeoutExpired:
                job.kill()
        starts += 1
        found = numbers_in(database)
        assert len(set(found)) == len(found)
    assert ended
    assert starts > 1
    assert numbers_in(database) == list(range(1500))


# --- in batches ---------------------------------------------------------------------------------


def test_at_least_once_loses_nothing(make_env, tmp_path, database):
    mode = {"execution.checkpointing.mode": "AT_LEAST_ONCE"}
    env = make_env(2, **settings(tmp_path, **mode))
    rows(env, tmp_path, 50, 200).add_sink(sink(database, batch_size=3))
    env.execute()
    assert sorted(set(numbers_in(database))) == list(range(NUMBERS))
    assert left_over(database) == []
    tables = ask(database, "SELECT name FROM sqlite_master WHERE name = 'leat_commits'")
    assert tables == []


def test_without_checkpoints_batches_are_written_as_they_come(env, tmp_path, database):
    rows(env, tmp_path, 25).add_sink(sink(database, batch_size=10))
    with pytest.raises(JobError, match="tripped"):
        env.execute()
    assert numbers_in(database) == list(range(20))


class UntilTheyAreThere(SourceFunction):
    """One number; another when a row of the first is in the database."""

    def __init__(self, path):
        super().__init__()
        self.path = str(path)

    def run(self, ctx):
        ctx.collect(1)
        end = time.monotonic() + 30
        while not numbers_in(self.path) and time.monotonic() < end:
            time.sleep(0.01)
        ctx.collect(len(numbers_in(self.path)) + 1)


def test_interval_writes_batches_that_are_not_full(env, tmp_path, database):
    stream = env.add_source(UntilTheyAreThere(database), "numbers", Types.LONG())
    stream.map(Slow(tmp_path)).map(row_of, ROW).add_sink(sink(database, batch_interval_ms=20))
    env.execute()
    assert numbers_in(database) == [1, 2]


# --- values and errors --------------------------------------------------------------------------


def test_values(env, tmp_path):
    path = tmp_path / "values.db"
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE v (a, b, c, d, e, f, g, h)")
    types = [Types.BOOLEAN(), Types.DOUBLE(), Types.STRING(), Types.PICKLED_BYTE_ARRAY()]
    types += [Types.SQL_DATE(), Types.SQL_TIME(), Types.SQL_TIMESTAMP(), Types.BIG_DEC()]
    value = Row(
        True,
        1.5,
        None,
        b"\0x",
        date(2026, 1, 2),
        day_time(3, 4, 5),
        datetime(2026, 1, 2, 3, 4, 5, 600000),
        Decimal("1.50"),
    )
    row = Types.ROW(types)
    sql = "INSERT INTO v VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    env.from_collection([value], row).add_sink(sink(path, sql, row))
    env.execute()
    (found,) = ask(path, "SELECT * FROM v")
    assert found[:3] == (1, 1.5, None)
    assert found[3] == b"\0x"
    assert found[4:7] == ("2026-01-02", "03:04:05", "2026-01-02 03:04:05.600000")
    assert Decimal(found[7]) == Decimal("1.50")


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        (
            "INSERT INTO lost VALUES (?, ?)",
            "no such table: lost; the statement is 'INSERT INTO lost",
        ),
        (
            "INSERT INTO found (number) VALUES (?)",
            r"uses 1, and there are 2 supplied.*the row \(number, word",
        ),
        ("INSERT INTO found VALUES (?, ?, 1)", "has 2 columns but 3 values were supplied"),
        ("INSERT found", "syntax error"),
    ],
)
def test_statement_that_cannot_be_executed(env, tmp_path, database, sql, why):
    rows(env, tmp_path).add_sink(sink(database, sql))
    with pytest.raises(JobError, match=why) as failed:
        env.execute()
    assert re.match(rf".*jdbc:sqlite:{database}: ", str(failed.value))
    assert isinstance(failed.value.__cause__, sqlite3.Error)


def test_row_that_the_database_refuses(env, database):
    env.from_collection([Row(None, "a")], ROW).add_sink(sink(database))
    with pytest.raises(JobError, match=r"NOT NULL constraint failed: found\.number"):
        env.execute()


def test_value_that_sqlite_does_not_take(env, tmp_path, database):
    row = Types.ROW_NAMED(["number", "words"], [Types.LONG(), Types.LIST(Types.STRING())])
    env.from_collection([Row(1, ["a"])], row).add_sink(sink(database, SQL, row))
    with pytest.raises(JobError, match="field 'words' is a list, which SQLite does not take"):
        env.execute()


def test_integer_beyond_64_bits(env, database):
    row = Types.ROW([Types.BIG_INT(), Types.STRING()])
    env.from_collection([Row(2**70, "a")], row).add_sink(sink(database, SQL, row))
    with pytest.raises(JobError, match="too large"):
        env.execute()


def test_rows_of_another_length(env, database):
    env.from_collection([1]).map(lambda n: (n, n, n)).add_sink(sink(database))
    with pytest.raises(JobError, match="the row has 3 fields, and type_info has 2"):
        env.execute()
    env.from_collection([1]).add_sink(sink(database))
    with pytest.raises(JobError, match="JdbcSink needs rows, not a int"):
        env.execute()


def test_folder_that_is_not_there(env, tmp_path):
    rows(env, tmp_path).add_sink(sink(tmp_path / "absent" / "x.db"))
    with pytest.raises(JobError, match="unable to open database file"):
        env.execute()
