"""Rows for a SQLite database, each in it once; behind `JdbcSink`.

A subtask draws a writer's id when it begins. Its transaction is a portion: rows in a file of its
own beside the database, which `pre_commit` brings safely to the disk. `commit` executes the
statement for all of its rows and marks the portion in the table `leat_commits`, in one transaction,
and then removes the file; so a portion that is marked is done, and one that is neither marked nor
there has been lost. Portions are numbered one after the other, those without rows not counted, and
the table has the first and the last number of what is done: one row for most writers.

After a restart another subtask may get a later portion of a writer than this one. Earlier ones that
are there are committed first, since they were prepared for the same checkpoint or one before it:
rows of one writer get into the database in the order of their coming.

Format of the file: for each batch 8 bytes of size and 4 of CRC-32, both with the lowest byte first,
and the pickle of a list of tuples.
"""

from __future__ import annotations

import os
import pickle
import sqlite3
import struct
import threading
import uuid
import zlib
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from leat.datastream.two_phase_sinks import TwoPhaseCommitSinkFunction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from leat.datastream.functions import RuntimeContext, SinkFunction

_BUSY_SECONDS = 5.0
_HEAD = struct.Struct("<QI")
_TABLE = """CREATE TABLE IF NOT EXISTS leat_commits (
    writer TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
    PRIMARY KEY (writer, first)) WITHOUT ROWID"""


def path_of_url(url: str, path: str) -> str:
    """The absolute path or URI of a database; a ValueError for one in memory."""
    name, _, parameters = path.partition("?")
    is_uri = path.startswith("file:")
    plain = name.removeprefix("file:") if is_uri else path
    if plain in ("", ":memory:") or (is_uri and "mode=memory" in parameters.split("&")):
        raise ValueError(f"{url}: a database in memory ends with its process; name a file")
    if not is_uri:
        return str(Path(path).absolute())
    if plain.startswith("//") or "%" in plain:
        raise ValueError(f"{url}: write the path itself: jdbc:sqlite:file:/PATH?PARAMETERS")
    return f"file:{Path(plain).absolute()}" + (f"?{parameters}" if parameters else "")


@dataclass(frozen=True)
class SqliteTarget:
    """What to execute, and where."""

    sql: str
    fields: tuple[str, ...]
    url: str
    path: str  # as `path_of_url` gives it
    batch_size: int
    interval: float  # seconds; 0: none
    retries: int

    def file(self) -> str:
        """The path of the database's file."""
        is_uri = self.path.startswith("file:")
        return self.path.removeprefix("file:").partition("?")[0] if is_uri else self.path


@dataclass
class Portion:
    """A transaction: rows that get into the database together."""

    writer: str
    number: int
    rows: int = 0  # in the file


class SqliteSink(TwoPhaseCommitSinkFunction):
    """See above. Without exactly-once checkpoints batches are written as they come."""

    _in_pyflink = True

    def __init__(self, target: SqliteTarget) -> None:
        super().__init__()
        self._target = target

    # --- life ---------------------------------------------------------------------------------

    def open(self, runtime_context: RuntimeContext) -> None:
        """Open the database and look at the statement."""
        self._writer, self._number = uuid.uuid4().hex, 1
        self._rows: list[tuple[Any, ...]] = []
        self._file: IO[bytes] | None = None
        self._failure: Exception | None = None
        self._lock, self._closed = threading.Lock(), threading.Event()
        self._clock: threading.Thread | None = None
        self._retried(self._connect)
        if self._target.interval and not self._exactly_once:
            self._clock = threading.Thread(target=self._tick, daemon=True, name="leat-sqlite")
            self._clock.start()

    def close(self) -> None:
        """Close the database."""
        self._closed.set()
        if self._clock:
            self._clock.join()
        self._database.close()

    def _connect(self) -> None:
        path = self._target.path
        self._database = sqlite3.connect(
            path,
            timeout=_BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,  # the thread of the interval; one of them at a time
            uri=path.startswith("file:"),
        )
        nothing = (None,) * len(self._target.fields)
        self._database.execute("EXPLAIN " + self._target.sql, nothing).close()

    # --- rows ---------------------------------------------------------------------------------

    def begin_transaction(self) -> Portion:
        """The portion that the next rows belong to."""
        return Portion(self._writer, self._number)

    def invoke(  # type: ignore[override] # as its base
        self, transaction: Portion, value: Any, context: SinkFunction.Context
    ) -> None:
        """Take a row."""
        row = self._plain_row(value)
        with self._lock:
            if self._failure:
                raise self._failure
            self._rows.append(row)
            if len(self._rows) < self._target.batch_size:
                return
            if self._exactly_once:
                self._spill(transaction)
            else:
                self._flush()

    def _plain_row(self, value: Any) -> tuple[Any, ...]:
        fields = self._target.fields
        try:
            row = tuple(value)
        except TypeError:
            raise TypeError(f"JdbcSink needs rows, not a {type(value).__name__}") from None
        if len(row) != len(fields):
            raise ValueError(f"the row has {len(row)} fields, and type_info has {len(fields)}")
        if all(type(v) in _TAKEN for v in row):
            return row
        return tuple(_plain(v, name) for v, name in zip(row, fields, strict=True))

    def _flush(self) -> None:
        rows, self._rows = self._rows, []
        if rows:
            self._transact(lambda: self._execute(rows))

    def _tick(self) -> None:
        while not self._closed.wait(self._target.interval):
            with self._lock:
                try:
                    self._flush()
                except Exception as e:
                    self._failure = e
                    return

    def _execute(self, rows: list[tuple[Any, ...]]) -> None:
        self._database.executemany(self._target.sql, rows)

    # --- portions -----------------------------------------------------------------------------

    def _spill(self, portion: Portion) -> None:
        rows, self._rows = self._rows, []
        if not rows:
            return
        if not self._file:
            path = Path(self._path(portion.writer, portion.number))
            self._file = path.open("xb")
        packed = pickle.dumps(rows, 5)
        self._file.write(_HEAD.pack(len(packed), zlib.crc32(packed)))
        self._file.write(packed)
        portion.rows += len(rows)

    def pre_commit(self, transaction: Portion) -> None:
        """Bring the portion's file to the disk; without exactly-once, all rows to the database."""
        with self._lock:
            if self._failure:
                raise self._failure
            if not self._exactly_once:
                self._flush()
                return
            self._spill(transaction)
        if not self._file:
            return
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._file = None
        self._number += 1
        folder = os.open(Path(self._target.file()).parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def commit(self, transaction: Portion) -> None:
        """Write the portion into the database, and earlier ones of its writer that are there."""
        if not transaction.rows:
            return
        writer, number = transaction.writer, transaction.number
        for earlier in sorted(n for n in self._there(writer) if n < number):
            self._transact(lambda n=earlier: self._write(writer, n, None))  # type: ignore[misc]
            self._remove(writer, earlier)
        self._transact(lambda: self._write(writer, number, transaction.rows))
        self._remove(writer, number)

    def abort(self, transaction: Portion) -> None:
        """Forget the rows."""
        self._rows.clear()
        if self._file:
            self._file.close()
            self._file = None
        self._remove(transaction.writer, transaction.number)

    def recover_and_abort(self, transaction: Portion) -> None:
        """Forget what the writer, which is gone, had after the checkpoint."""
        for number in self._there(transaction.writer):
            if number >= transaction.number:
                self._remove(transaction.writer, number)

    def _write(self, writer: str, number: int, count: int | None) -> None:
        """Within a transaction. `count` is how many rows there must be, if that is known."""
        if self._is_done(writer, number):
            return
        found = 0
        for rows in self._read(writer, number):
            self._execute(rows)
            found += len(rows)
        if count not in (None, found):
            raise self._lost(writer, number, f"has {found} of {count} rows")
        self._mark(writer, number)

    def _read(self, writer: str, number: int) -> Iterator[list[tuple[Any, ...]]]:
        try:
            file = Path(self._path(writer, number)).open("rb")  # noqa: SIM115 - a clearer error
        except FileNotFoundError:
            raise self._lost(writer, number, "is not there") from None
        with file:
            while head := file.read(_HEAD.size):
                size, crc = _HEAD.unpack(head) if len(head) == _HEAD.size else (0, 1)
                packed = file.read(size)
                if len(packed) != size or zlib.crc32(packed) != crc:
                    raise self._lost(writer, number, "is damaged")
                yield pickle.loads(packed)

    def _lost(self, writer: str, number: int, what: str) -> OSError:
        return OSError(
            f"{self._path(writer, number)} {what}, and {self._target.url} has not got its rows; "
            "bring the file back, or start from another checkpoint"
        )

    # --- what is done -------------------------------------------------------------------------

    def _is_done(self, writer: str, number: int) -> bool:
        self._database.execute(_TABLE)
        return self._one("? BETWEEN first AND last", writer, number) is not None

    def _mark(self, writer: str, number: int) -> None:
        before = self._one("last = ? - 1", writer, number)
        behind = self._one("first = ? + 1", writer, number)
        if behind:
            sql = "DELETE FROM leat_commits WHERE writer = ? AND first = ?"
            self._database.execute(sql, (writer, behind[0]))
        marked = (writer, before[0] if before else number, behind[1] if behind else number)
        self._database.execute("INSERT OR REPLACE INTO leat_commits VALUES (?, ?, ?)", marked)

    def _one(self, condition: str, writer: str, number: int) -> tuple[int, int] | None:
        sql = f"SELECT first, last FROM leat_commits WHERE writer = ? AND {condition}"
        found: tuple[int, int] | None = self._database.execute(sql, (writer, number)).fetchone()
        return found

    def _path(self, writer: str, number: int) -> str:
        return f"{self._target.file()}-leat-{writer}-{number}"

    def _there(self, writer: str) -> list[int]:
        """The numbers of the writer's portions whose files are there."""
        database = Path(self._target.file())
        start = f"{database.name}-leat-{writer}-"
        names = (f.name for f in database.parent.iterdir() if f.name.startswith(start))
        return [int(name.removeprefix(start)) for name in names]

    def _remove(self, writer: str, number: int) -> None:
        Path(self._path(writer, number)).unlink(missing_ok=True)

    # --- transactions -------------------------------------------------------------------------

    def _transact(self, work: Callable[[], None]) -> None:
        self._retried(lambda: self._within_transaction(work))

    def _within_transaction(self, work: Callable[[], None]) -> None:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            work()
            self._database.execute("COMMIT")
        except BaseException:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            raise

    def _retried(self, work: Callable[[], None]) -> None:
        """Calls again while others lock the database; SQLite waits `_BUSY_SECONDS` each time."""
        for left in reversed(range(self._target.retries + 1)):
            try:
                work()
                break
            except sqlite3.Error as e:
                if not left or not _is_locked(e):
                    raise self._explained(e) from e

    def _explained(self, e: sqlite3.Error) -> sqlite3.Error:
        """The error with database and statement."""
        target = self._target
        waited = f" by another program for {(target.retries + 1) * _BUSY_SECONDS:g} s"
        what = f"{e}{waited if _is_locked(e) else ''}"
        fields = ", ".join(target.fields)
        return type(e)(f"{target.url}: {what}; the statement is {target.sql!r}, the row ({fields})")


def _is_locked(e: sqlite3.Error) -> bool:
    code: int = getattr(e, "sqlite_errorcode", 0)
    return code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


_TAKEN = frozenset((type(None), int, float, str, bytes))


def _plain(value: Any, field: str) -> Any:
    if type(value) in _TAKEN:
        return value
    if isinstance(value, bool | int):
        return int(value)
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, bytearray | memoryview):
        return bytes(value)
    if isinstance(value, float | str):
        return value
    raise TypeError(
        f"field {field!r} is a {type(value).__name__}, which SQLite does not take; "
        "make it a number, text or bytes first"
    )
