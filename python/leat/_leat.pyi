"""The extension module: the library's graph, jobs and workers as Python sees them.

Streams are ints. `leat.datastream` is what programs use; this is what it stands on.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, final

__version__: str

def encode(items: list[Any], type_text: str | None) -> bytes:
    """Values in the library's codec, of the type or as they are. TypeErrors name the index."""

def worker_main(argv: list[str]) -> int:
    """Be a worker process; answers its exit code."""

def log_to(callable: Callable[[int, str], None] | None) -> None:
    """Call this with (level, line) for each line of the library's log; None: nobody."""

def own_sigterm() -> None:
    """Python's handler of SIGTERM serves this process alone; what it forks ends."""

def control_list(json: bool, /) -> str:
    """What `leat list` prints. A RuntimeError says why not."""

def control_ask(job: str, request: str, json: bool, timeout_ms: int, /) -> str:
    """What `leat status` and `leat cancel` print. A RuntimeError says why not."""

def clear_status_line(fd: int, /) -> None:
    """Take the status line away before somebody writes to this descriptor."""

def config_keys() -> list[tuple[str, str, str, str, str]]:
    """All configuration keys: key, default, kind, status, meaning."""

def look_into(verb: str, path: str, json: bool) -> str:
    """What a checkpoint has ("inspect"), or which a job's folder has ("list"); as JSON or not."""

@final
class Env:
    """A graph that is being built, and its settings."""

    def __init__(self, settings: dict[str, str]) -> None:
        """A ValueError for an unknown key or a bad value names the nearest."""

    def set(self, key: str, value: str | None) -> None:
        """Set a configuration key; None brings the default back. A ValueError as above."""

    def get(self, key: str) -> str | None:
        """The effective value, the default included."""

    def add(
        self,
        operator: str,
        inputs: list[int],
        params: dict[str, object],
        name: str,
        output_type: str | None,
        parallelism: int,
    ) -> int:
        """Add an operator; answers the stream behind it.

        A param that is None counts as not given. A user function is the tuple
        ("python", payload, display name). Parallelism 0: the environment's default.
        """

    def partition(self, stream: int, kind: str) -> int:
        """forward, rebalance, rescale, shuffle, broadcast, global."""

    def union(self, streams: list[int]) -> int:
        """The records of all streams."""

    def side_output(self, stream: int, tag: str, type_text: str | None) -> int:
        """What the stream's operator sends to this tag."""

    def iteration_feedback(self, loop: int, type_text: str | None) -> int:
        """What comes back in the loop, as a stream apart."""

    def close_iteration(self, loop: int, feedback: int) -> None:
        """Lead a stream back to the loop's head."""

    def set_option(self, stream: int, option: str, value: str | int) -> None:
        """name, uid, parallelism, max_parallelism, buffer_timeout, chaining (always, head, never),
        description, slot_sharing_group."""

    def clear(self) -> None:
        """Forget the graph, so that the next one can be built."""

    def plan(self) -> str:
        """The plan as JSON."""

    def execute(self, job_name: str, main_blob: bytes | None) -> Job:
        """Start the graph. Workers hand `main_blob` to `leat.shipping.bind_main_classes` before
        they unpickle anything."""

@final
class Job:
    """A job that was started."""

    id: str
    heard: bool
    """Whether result() has told how it ended."""
    cancelled: bool
    """Whether cancel() was called."""

    def status(self) -> str:
        """The name of a JobStatus."""

    def wait(self, timeout: float) -> bool:
        """Wait so many seconds; True when it has ended. Raises what Python's signals raise."""

    def metrics(self) -> str:
        """The metrics of all operators and subtasks as JSON."""

    def checkpoints(self) -> str:
        """What has become of its checkpoints, as JSON."""

    def attempts(self) -> list[dict[str, Any]]:
        """A dict for each attempt that is still known: its number, and why it failed."""

    def accumulators(self) -> dict[str, Any]:
        """What functions have added up, by name. A RuntimeError where parts don't fit."""

    def cancel(self) -> None:
        """Ask it to end. Does not wait; harmless when it has ended."""

    def savepoint(self, directory: str | None) -> str:
        """Make a savepoint in a folder, None is the configured one; waits, answers its folder."""

    def stop(self, directory: str | None, drain: bool) -> str:
        """The same, and end the job with it."""

    def result(self) -> dict[str, Any]:
        """`runtime_ms` of an ended job, or its JobError or JobCancelled."""

    def take(self, collect: int, max: int, timeout: float) -> list[Any] | None:
        """The next records of a collect sink; [] after the time-out, None at the end."""

class RemoteTraceback(Exception):
    """The text of a traceback in the task that raised; the cause of the exception here."""

# What functions are given while they run. Users know them by the classes of `leat.metrics` and
# `leat.datastream.state`, which say what they do.

@final
class Counter:
    def inc(self, n: int = 1) -> None: ...
    def dec(self, n: int = 1) -> None: ...
    def get_count(self) -> int: ...

@final
class Meter:
    def mark_event(self, value: int = 1) -> None: ...
    def get_count(self) -> int: ...

@final
class Distribution:
    def update(self, value: int) -> None: ...

@final
class Accumulator:
    def add(self, value: Any, /) -> None: ...
    def value(self) -> Any: ...

@final
class KeyedStates:
    """Makes the states of one function in one subtask."""

    def of(self, store: Any, descriptor: Any) -> Any:
        """The state that the descriptor describes."""

    def get(self, *args: Any) -> Any:
        """The state of a name and kind; `leat.datastream.state` says of which."""

@final
class ValueState:
    def value(self) -> Any: ...
    def update(self, value: Any) -> None: ...
    def clear(self) -> None: ...

@final
class ListState:
    def __iter__(self) -> Iterator[Any]: ...
    def get(self) -> Any: ...
    def add(self, value: Any) -> None: ...
    def add_all(self, values: Iterable[Any]) -> None: ...
    def update(self, values: Iterable[Any]) -> None: ...
    def clear(self) -> None: ...

@final
class ReducingState:
    def get(self) -> Any: ...
    def add(self, value: Any) -> None: ...
    def clear(self) -> None: ...

@final
class AggregatingState:
    def get(self) -> Any: ...
    def add(self, value: Any) -> None: ...
    def clear(self) -> None: ...

@final
class ReadOnlyBroadcastState:
    def __iter__(self) -> Iterator[Any]: ...
    def __getitem__(self, key: Any) -> Any: ...
    def __contains__(self, key: object) -> bool: ...
    def get(self, key: Any) -> Any: ...
    def contains(self, key: Any) -> bool: ...
    def items(self) -> Any: ...
    def keys(self) -> Any: ...
    def values(self) -> Any: ...
    def is_empty(self) -> bool: ...

@final
class BroadcastState:
    def __iter__(self) -> Iterator[Any]: ...
    def __getitem__(self, key: Any) -> Any: ...
    def __setitem__(self, key: Any, value: Any) -> None: ...
    def __delitem__(self, key: Any) -> None: ...
    def __contains__(self, key: object) -> bool: ...
    def get(self, key: Any) -> Any: ...
    def put(self, key: Any, value: Any) -> None: ...
    def put_all(self, entries: Any) -> None: ...
    def remove(self, key: Any) -> None: ...
    def contains(self, key: Any) -> bool: ...
    def items(self) -> Any: ...
    def keys(self) -> Any: ...
    def values(self) -> Any: ...
    def is_empty(self) -> bool: ...
    def clear(self) -> None: ...

@final
class MapState:
    def __iter__(self) -> Iterator[Any]: ...
    def __getitem__(self, key: Any) -> Any: ...
    def __setitem__(self, key: Any, value: Any) -> None: ...
    def __delitem__(self, key: Any) -> None: ...
    def __contains__(self, key: object) -> bool: ...
    def get(self, key: Any) -> Any: ...
    def put(self, key: Any, value: Any) -> None: ...
    def put_all(self, entries: Any) -> None: ...
    def remove(self, key: Any) -> None: ...
    def contains(self, key: Any) -> bool: ...
    def items(self) -> Any: ...
    def keys(self) -> Any: ...
    def values(self) -> Any: ...
    def is_empty(self) -> bool: ...
    def clear(self) -> None: ...
