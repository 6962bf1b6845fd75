"""`DataStreamSink`, the end of a stream, and `CloseableIterator`, its results in the client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leat import jobs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from leat._leat import Job
    from leat.common.typeinfo import TypeInformation
    from leat.datastream.node import Node
    from leat.datastream.slot_sharing_group import SlotSharingGroup

__all__ = ["CloseableIterator", "DataStreamSink"]


class DataStreamSink:
    """The sink at the end of a stream. Setters answer this object. Made by DataStream only."""

    def __init__(self, j_data_stream_sink: Node) -> None:
        self._node = j_data_stream_sink
        jobs.idle_sinks += 1

    def name(self, name: str) -> DataStreamSink:
        """The sink's name in plans and messages."""
        return self._option("name", name)

    def uid(self, uid: str) -> DataStreamSink:
        """The sink's id, unique in the job; under it its state is stored."""
        return self._option("uid", uid)

    def set_uid_hash(self, uid_hash: str) -> DataStreamSink:
        """The sink's id; as `uid`."""
        return self._option("uid", uid_hash)

    def set_parallelism(self, parallelism: int) -> DataStreamSink:
        """How many subtasks the sink has. A ValueError unless it is 1 or more."""
        return self._option("parallelism", positive("parallelism", parallelism))

    def set_description(self, description: str) -> DataStreamSink:
        """A text for the plan."""
        return self._option("description", description)

    def disable_chaining(self) -> DataStreamSink:
        """Never run in one task with the operator before."""
        return self._option("chaining", "never")

    def slot_sharing_group(self, slot_sharing_group: str | SlotSharingGroup) -> DataStreamSink:
        """The group that the sink belongs to; shown in the plan."""
        return self._option("slot_sharing_group", group_name(slot_sharing_group))

    def _option(self, option: str, value: str | int) -> DataStreamSink:
        self._node.option(option, value)
        return self


class CloseableIterator:
    """The results of a running job, one by one. Close it, or use it in `with`, to end the job.

    `j_closeable_iterator` has the results: an iterator with `close()`. An error of the job is
    raised by the call that would have answered the next result.
    """

    def __init__(self, j_closeable_iterator: Any, type_info: TypeInformation | None = None) -> None:
        self._results = j_closeable_iterator
        self._type_info = type_info

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return self.next()

    def next(self) -> Any:
        """The next result; StopIteration after the last."""
        try:
            return next(self._results)
        except StopIteration:
            raise StopIteration("No more data.") from None

    def close(self) -> None:
        """Cancel the job, unless it has ended."""
        self._results.close()

    def __enter__(self) -> CloseableIterator:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.close()


class CollectedResults:
    """What a job's collect sink gathers, read through the job in batches."""

    _BATCH = 1024
    _SECONDS = 3600.0  # per wait; there is no limit to how many

    def __init__(self, job: Job, collect: int) -> None:
        self._job = job
        self._collect = collect
        self._batch: Iterator[Any] = iter(())
        self._open = True

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        while True:
            for value in self._batch:
                return value
            if not self._open:
                raise StopIteration
            taken = self._job.take(self._collect, self._BATCH, self._SECONDS)
            if taken is None:
                self._open = False
                self._end()
                raise StopIteration
            self._batch = iter(taken)

    def _end(self) -> None:
        """Wait until the job has ended after its last result; raise its error if it failed."""
        while not self._job.wait(self._SECONDS):
            pass
        self._job.result()

    def close(self) -> None:
        """Cancel the job and wait for its end, unless it has ended."""
        self._batch = iter(())
        if self._open:
            self._open = False
            if not self._job.wait(0.0):
                self._job.cancel()
                while not self._job.wait(self._SECONDS):
                    pass


def positive(what: str, value: int) -> int:
    """`value`, if it is an int of at least 1; else a TypeError or ValueError."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"The {what} must be an int, not {value!r}")
    if value < 1:
        raise ValueError(f"The {what} must be at least 1, not {value}")
    return value


def group_name(slot_sharing_group: Any) -> str:
    """The name of a group that is given by name or as an object; else a TypeError."""
    if isinstance(slot_sharing_group, str):
        return slot_sharing_group
    from leat.datastream.slot_sharing_group import SlotSharingGroup

    if isinstance(slot_sharing_group, SlotSharingGroup):
        return slot_sharing_group.get_name()
    raise TypeError(f"A slot sharing group is a str or SlotSharingGroup: {slot_sharing_group!r}")
