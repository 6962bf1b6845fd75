"""`JdbcSink`, as PyFlink's `pyflink.datastream.connectors.jdbc`, for SQLite databases."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from leat.datastream.connectors.base import no_java
from leat.datastream.connectors.sqlite_sink import SqliteSink, SqliteTarget, path_of_url

if TYPE_CHECKING:
    from leat.common.typeinfo import RowTypeInfo

__all__ = ["JdbcConnectionOptions", "JdbcExecutionOptions", "JdbcSink"]

_PREFIX = "jdbc:sqlite:"
_DRIVER = "org.sqlite.JDBC"


class JdbcSink(SqliteSink):
    """Executes a statement for each row of a stream, in a SQLite database.

    With exactly-once checkpoints each row is in the database once: rows wait in a file beside it,
    `PATH-leat-ID-NUMBER`, and those of a checkpoint get there in one transaction, when it is
    complete. The database has a table `leat_commits`, which says what was committed. With
    at-least-once checkpoints, and without any, rows get there in batches, as Flink's own
    `JdbcSink.sink` has it, and may come again after a restart.
    """

    def __init__(self, j_jdbc_sink: SqliteTarget) -> None:
        if not isinstance(j_jdbc_sink, SqliteTarget):
            no_java("JdbcSink(j_jdbc_sink)")
        super().__init__(j_jdbc_sink)

    @staticmethod
    def sink(
        sql: str,
        type_info: RowTypeInfo,
        jdbc_connection_options: JdbcConnectionOptions,
        jdbc_execution_options: JdbcExecutionOptions | None = None,
    ) -> JdbcSink:
        """A sink for `DataStream.add_sink`.

        `sql` has a `?` for each field of `type_info`, in order. Booleans become 0 and 1; decimals,
        dates and times become text. A NotSupportedError for a URL that is not SQLite's.
        """
        from leat.common.typeinfo import RowTypeInfo

        if not isinstance(type_info, RowTypeInfo):
            raise TypeError(f"JdbcSink.sink needs the type of the rows, Types.ROW, not {type_info}")
        options = jdbc_execution_options or JdbcExecutionOptions.defaults()
        url = jdbc_connection_options.get_db_url()
        target = SqliteTarget(
            sql=sql,
            fields=tuple(type_info.get_field_names()),
            url=url,
            path=_sqlite_path(url),
            batch_size=options.get_batch_size(),
            interval=options.get_batch_interval_ms() / 1000,
            retries=options.get_max_retries(),
        )
        return JdbcSink(target)

    def get_java_function(self) -> NoReturn:
        """Always a NotSupportedError: there is no Java behind Leat's connectors."""
        no_java("JdbcSink")


def _sqlite_path(url: str) -> str:
    from leat.common.errors import NotSupportedError

    if not url.startswith(_PREFIX):
        raise NotSupportedError(
            f"JdbcSink writes to SQLite, jdbc:sqlite:PATH, and not to {url!r}",
            "write a TwoPhaseCommitSinkFunction with that database's Python driver",
        )
    return path_of_url(url, url.removeprefix(_PREFIX))


class JdbcConnectionOptions:
    """Where the database is. Made by `JdbcConnectionOptionsBuilder`."""

    def __init__(self, j_jdbc_connection_options: tuple[str | None, ...]) -> None:
        self._url, self._driver, self._user, self._password = j_jdbc_connection_options

    def get_db_url(self) -> str:
        """`jdbc:sqlite:PATH`, or `jdbc:sqlite:file:PATH?mode=rw` with SQLite's URI parameters."""
        return self._url or ""

    def get_driver_name(self) -> str | None:
        """The name of the driver's class in Java; None, or SQLite's."""
        return self._driver

    def get_user_name(self) -> str | None:
        """The user's name, which SQLite does not ask for."""
        return self._user

    def get_password(self) -> str | None:
        """The password, which SQLite does not ask for."""
        return self._password

    class JdbcConnectionOptionsBuilder:
        """Setters answer the builder. Only the URL is needed."""

        def __init__(self) -> None:
            self._url: str | None = None
            self._driver: str | None = None
            self._user: str | None = None
            self._password: str | None = None

        def with_url(self, url: str) -> JdbcConnectionOptions.JdbcConnectionOptionsBuilder:
            """The URL of the database."""
            self._url = url
            return self

        def with_driver_name(
            self, driver_name: str
        ) -> JdbcConnectionOptions.JdbcConnectionOptionsBuilder:
            """The class of the driver in Java: SQLite's, or a NotSupportedError from `build`."""
            self._driver = driver_name
            return self

        def with_user_name(
            self, user_name: str
        ) -> JdbcConnectionOptions.JdbcConnectionOptionsBuilder:
            """A user, which SQLite does not ask for."""
            self._user = user_name
            return self

        def with_password(
            self, password: str
        ) -> JdbcConnectionOptions.JdbcConnectionOptionsBuilder:
            """A password, which SQLite does not ask for."""
            self._password = password
            return self

        def build(self) -> JdbcConnectionOptions:
            """The options. A ValueError without URL, a NotSupportedError for another driver."""
            from leat.common.errors import NotSupportedError

            if not self._url:
                raise ValueError("no database is named; call with_url('jdbc:sqlite:PATH')")
            if self._driver not in (None, _DRIVER):
                raise NotSupportedError(
                    f"JdbcSink has no driver {self._driver!r}", f"leave it out: {_DRIVER} is there"
                )
            return JdbcConnectionOptions((self._url, self._driver, self._user, self._password))


class JdbcExecutionOptions:
    """How rows are written. Made by `builder` or `defaults`."""

    def __init__(self, j_jdbc_execution_options: tuple[int, int, int]) -> None:
        self._interval, self._size, self._retries = j_jdbc_execution_options

    def get_batch_interval_ms(self) -> int:
        """After how many milliseconds rows are written although the batch is not full; 0: never."""
        return self._interval

    def get_batch_size(self) -> int:
        """How many rows are kept in memory, and written at once."""
        return self._size

    def get_max_retries(self) -> int:
        """How often a transaction is tried again while others lock the database, 5 s each time."""
        return self._retries

    @staticmethod
    def defaults() -> JdbcExecutionOptions:
        """Batches of 5000 rows, no interval, 3 retries."""
        return JdbcExecutionOptions.builder().build()

    @staticmethod
    def builder() -> JdbcExecutionOptions.Builder:
        """A builder with the defaults."""
        return JdbcExecutionOptions.Builder()

    class Builder:
        """Setters answer the builder; a ValueError for a number that makes no sense."""

        def __init__(self) -> None:
            self._interval, self._size, self._retries = 0, 5000, 3

        def with_batch_interval_ms(self, batch_interval_ms: int) -> JdbcExecutionOptions.Builder:
            """Write rows that are older, in milliseconds; 0 waits for full batches."""
            self._interval = _at_least(0, batch_interval_ms, "batch_interval_ms")
            return self

        def with_batch_size(self, batch_size: int) -> JdbcExecutionOptions.Builder:
            """Write so many rows at once."""
            self._size = _at_least(1, batch_size, "batch_size")
            return self

        def with_max_retries(self, max_retries: int) -> JdbcExecutionOptions.Builder:
            """Try a transaction so often again while others lock the database."""
            self._retries = _at_least(0, max_retries, "max_retries")
            return self

        def build(self) -> JdbcExecutionOptions:
            """The options."""
            return JdbcExecutionOptions((self._interval, self._size, self._retries))


def _at_least(least: int, number: int, what: str) -> int:
    if number < least:
        raise ValueError(f"{what} must be at least {least}, not {number}")
    return number
