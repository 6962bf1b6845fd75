"""The options of JdbcSink, what it refuses before a job runs, and portions whose files are lost."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from leat.common import Types
from leat.common.errors import NotSupportedError
from leat.datastream.connectors import jdbc
from leat.datastream.connectors.jdbc import JdbcConnectionOptions, JdbcExecutionOptions, JdbcSink

ROW = Types.ROW([Types.LONG()])
SQL = "INSERT INTO found VALUES (?)"


def options(url: str) -> JdbcConnectionOptions:
    return JdbcConnectionOptions.JdbcConnectionOptionsBuilder().with_url(url).build()


def test_options_have_flinks_defaults() -> None:
    made = JdbcExecutionOptions.defaults()
    assert (made.get_batch_size(), made.get_batch_interval_ms(), made.get_max_retries()) == (
        5000,
        0,
        3,
    )
    builder = JdbcConnectionOptions.JdbcConnectionOptionsBuilder().with_url("jdbc:sqlite:x")
    builder = builder.with_driver_name("org.sqlite.JDBC").with_user_name("u").with_password("p")
    found = builder.build()
    assert (found.get_db_url(), found.get_driver_name()) == ("jdbc:sqlite:x", "org.sqlite.JDBC")
    assert (found.get_user_name(), found.get_password()) == ("u", "p")


@pytest.mark.parametrize(
    ("setter", "number"),
    [("with_batch_size", 0), ("with_batch_interval_ms", -1), ("with_max_retries", -1)],
)
def test_numbers_that_make_no_sense(setter: str, number: int) -> None:
    with pytest.raises(ValueError, match="must be at least"):
        getattr(JdbcExecutionOptions.builder(), setter)(number)


def test_databases_that_are_not_sqlites() -> None:
    with pytest.raises(NotSupportedError, match=r"writes to SQLite.*and not to 'jdbc:mysql://x/y'"):
        JdbcSink.sink(SQL, ROW, options("jdbc:mysql://x/y"))
    builder = JdbcConnectionOptions.JdbcConnectionOptionsBuilder()
    with pytest.raises(ValueError, match="no database is named"):
        builder.build()
    with pytest.raises(NotSupportedError, match=r"no driver 'com\.mysql\.Driver'"):
        builder.with_url("jdbc:sqlite:x").with_driver_name("com.mysql.Driver").build()
    with pytest.raises(NotSupportedError, match="Java"):
        JdbcSink(object())  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="the type of the rows"):
        JdbcSink.sink(SQL, Types.LONG(), options("jdbc:sqlite:x"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "path", ["", ":memory:", "file::memory:", "file:x?mode=memory&cache=shared"]
)
def test_databases_in_memory(path: str) -> None:
    with pytest.raises(ValueError, match="ends with its process"):
        JdbcSink.sink(SQL, ROW, options(f"jdbc:sqlite:{path}"))


def test_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for path in ("x.db", str(tmp_path / "x.db"), "file:x.db?mode=rw", f"file:{tmp_path}/x.db"):
        made = JdbcSink.sink(SQL, ROW, options(f"jdbc:sqlite:{path}"))
        assert made._target.file() == str(tmp_path / "x.db")
    assert jdbc.JdbcSink is JdbcSink


# --- portions -----------------------------------------------------------------------------------


def subtask(tmp_path: Path) -> JdbcSink:
    with sqlite3.connect(tmp_path / "x.db") as db:
        db.execute("CREATE TABLE IF NOT EXISTS found (n INTEGER)")
    db.close()
    one = JdbcExecutionOptions.builder().with_batch_size(2).build()
    made = JdbcSink.sink(SQL, ROW, options(f"jdbc:sqlite:{tmp_path}/x.db"), one)
    made._exactly_once = True
    made.open(None)  # type: ignore[arg-type]
    return made


def portion(sink: JdbcSink, *numbers: int):  # type: ignore[no-untyped-def]
    made = sink.begin_transaction()
    for n in numbers:
        sink.invoke(made, (n,), None)  # type: ignore[arg-type]
    sink.pre_commit(made)
    return made


def found(sink: JdbcSink, sql: str = "SELECT n FROM found ORDER BY rowid") -> list[tuple[int, ...]]:
    return sink._database.execute(sql).fetchall()


def test_portions_in_any_order_and_twice(tmp_path: Path) -> None:
    first = subtask(tmp_path)
    made = [portion(first, 1, 2, 3), portion(first), portion(first, 4), portion(first, 5)]
    assert [p.number for p in made] == [1, 2, 2, 3]
    first.close()
    one, other = subtask(tmp_path), subtask(tmp_path)
    other.commit(made[3])
    assert found(one) == [(1,), (2,), (3,), (4,), (5,)]  # in order, whoever comes first
    for p in made + made:
        one.recover_and_commit(p)
    assert found(one) == [(1,), (2,), (3,), (4,), (5,)]
    assert found(one, "SELECT first, last FROM leat_commits") == [(1, 3)]
    assert not list(tmp_path.glob("*-leat-*"))
    one.close()
    other.close()


def test_marks_grow_together(tmp_path: Path) -> None:
    sink = subtask(tmp_path)
    assert not sink._is_done("w", 1)
    for number in (1, 5, 3, 2, 9, 4):
        sink._transact(lambda n=number: sink._mark("w", n))  # type: ignore[misc]
    marks = "SELECT first, last FROM leat_commits WHERE writer = 'w' ORDER BY 1"
    assert found(sink, marks) == [(1, 5), (9, 9)]
    sink.close()


def test_what_came_behind_a_checkpoint_is_thrown_away(tmp_path: Path) -> None:
    first = subtask(tmp_path)
    kept, opened = portion(first, 1), first.begin_transaction()
    portion(first, 2)
    portion(first, 3)
    first.close()
    second = subtask(tmp_path)
    second.recover_and_commit(kept)
    second.recover_and_abort(opened)
    assert found(second) == [(1,)]
    assert not list(tmp_path.glob("*-leat-*"))
    second.close()


@pytest.mark.parametrize(
    ("cut", "why"), [(None, "is not there"), (5, "is damaged"), (0, "has 0 of 2 rows")]
)
def test_files_that_are_lost(tmp_path: Path, cut: int | None, why: str) -> None:
    sink = subtask(tmp_path)
    made = portion(sink, 1, 2)
    (path,) = tmp_path.glob("*-leat-*")
    path.write_bytes(path.read_bytes()[:cut]) if cut is not None else path.unlink()
    with pytest.raises(OSError, match=f"{why}, and jdbc:sqlite:.* has not got its rows"):
        sink.commit(made)
    assert found(sink) == []
    sink.close()


def test_open_rows_are_thrown_away_at_the_end(tmp_path: Path) -> None:
    sink = subtask(tmp_path)
    made = sink.begin_transaction()
    for n in range(5):
        sink.invoke(made, (n,), None)  # type: ignore[arg-type]
    assert len(list(tmp_path.glob("*-leat-*"))) == 1
    sink.abort(made)
    assert not list(tmp_path.glob("*-leat-*"))
    sink.close()
