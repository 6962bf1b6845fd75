"""`CheckpointConfig`: how checkpoints are taken, as in PyFlink's module `checkpoint_config`.

The settings are those of the environment's configuration (`execution.checkpointing.*`), whoever
sets them: `docs/checkpoints.md` is the guide.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

from leat.common.execution_config import _millis
from leat.common.time import Duration
from leat.datastream.checkpointing_mode import CheckpointingMode
from leat.datastream.externalized_checkpoint_retention import ExternalizedCheckpointRetention

if TYPE_CHECKING:
    from leat.datastream.checkpoint_storage import CheckpointStorage

__all__ = ["CheckpointConfig", "ExternalizedCheckpointCleanup"]

_PREFIX = "execution.checkpointing."
_NEVER_FAIL = 2**31 - 1


class ExternalizedCheckpointCleanup(Enum):
    """PyFlink 1.x: `ExternalizedCheckpointRetention` by its older name."""

    DELETE_ON_CANCELLATION = 0
    RETAIN_ON_CANCELLATION = 1
    NO_EXTERNALIZED_CHECKPOINTS = 2


class _Settings(Protocol):
    def get(self, key: str) -> str | None: ...

    def set(self, key: str, value: str) -> None: ...


class CheckpointConfig:
    """Settings of checkpoints, of `env.get_checkpoint_config()`. Setters answer this object.

    `j_checkpoint_config` is the environment's settings: get and set of strings by key.
    """

    DEFAULT_MODE = CheckpointingMode.EXACTLY_ONCE
    DEFAULT_TIMEOUT = 10 * 60 * 1000
    DEFAULT_MIN_PAUSE_BETWEEN_CHECKPOINTS = 0
    DEFAULT_MAX_CONCURRENT_CHECKPOINTS = 1

    def __init__(self, j_checkpoint_config: _Settings) -> None:
        self._settings = j_checkpoint_config
        self._storage: CheckpointStorage | None = None

    def is_checkpointing_enabled(self) -> bool:
        """Whether an interval was set."""
        return self.get_checkpoint_interval() > 0

    def get_checkpointing_mode(self) -> CheckpointingMode:
        """What checkpoints promise; EXACTLY_ONCE by default."""
        return CheckpointingMode[
            self._get("mode", self.DEFAULT_MODE.name).upper().replace("-", "_")
        ]

    def set_checkpointing_mode(self, checkpointing_mode: CheckpointingMode) -> CheckpointConfig:
        """What checkpoints promise."""
        _expect(checkpointing_mode, CheckpointingMode)
        return self._set("mode", checkpointing_mode.name)

    def get_checkpoint_interval(self) -> int:
        """Milliseconds between two checkpoints; -1 when there are none."""
        return _millis(self._get("interval", ""), 0) or -1

    def set_checkpoint_interval(self, checkpoint_interval: int) -> CheckpointConfig:
        """Milliseconds between two checkpoints, at least 10."""
        return self._ms("interval", _at_least(10, checkpoint_interval, "The checkpoint interval"))

    def get_checkpoint_timeout(self) -> int:
        """Milliseconds after which a checkpoint is given up; ten minutes by default."""
        return _millis(self._get("timeout", ""), self.DEFAULT_TIMEOUT)

    def set_checkpoint_timeout(self, checkpoint_timeout: int) -> CheckpointConfig:
        """Milliseconds after which a checkpoint is given up, at least 10."""
        return self._ms("timeout", _at_least(10, checkpoint_timeout, "The checkpoint timeout"))

    def get_min_pause_between_checkpoints(self) -> int:
        """Milliseconds from the end of a checkpoint to the next one's begin; 0 by default."""
        return _millis(self._get("min-pause", ""), self.DEFAULT_MIN_PAUSE_BETWEEN_CHECKPOINTS)

    def set_min_pause_between_checkpoints(
        self, min_pause_between_checkpoints: int
    ) -> CheckpointConfig:
        """Milliseconds from the end of a checkpoint to the next one's begin."""
        return self._ms("min-pause", _at_least(0, min_pause_between_checkpoints, "The pause"))

    def get_max_concurrent_checkpoints(self) -> int:
        """How many checkpoints may be on their way; 1 by default, and with Leat always."""
        default = self.DEFAULT_MAX_CONCURRENT_CHECKPOINTS
        return int(self._get("max-concurrent-checkpoints", str(default)))

    def set_max_concurrent_checkpoints(self, max_concurrent_checkpoints: int) -> CheckpointConfig:
        """How many checkpoints may be on their way."""
        number = _at_least(1, max_concurrent_checkpoints, "The number of concurrent checkpoints")
        return self._set("max-concurrent-checkpoints", str(number))

    def is_fail_on_checkpointing_errors(self) -> bool:
        """Whether the first checkpoint that fails ends the job; True by default."""
        return self.get_tolerable_checkpoint_failure_number() == 0

    def set_fail_on_checkpointing_errors(
        self, fail_on_checkpointing_errors: bool
    ) -> CheckpointConfig:
        """Whether the first checkpoint that fails ends the job, or none does."""
        tolerable = 0 if fail_on_checkpointing_errors else _NEVER_FAIL
        return self.set_tolerable_checkpoint_failure_number(tolerable)

    def get_tolerable_checkpoint_failure_number(self) -> int:
        """How many checkpoints may fail one after the other; 0 by default."""
        return int(self._get("tolerable-failed-checkpoints", "0"))

    def set_tolerable_checkpoint_failure_number(
        self, tolerable_checkpoint_failure_number: int
    ) -> CheckpointConfig:
        """How many checkpoints may fail one after the other until the job does."""
        number = _at_least(0, tolerable_checkpoint_failure_number, "The number of failures")
        return self._set("tolerable-failed-checkpoints", str(number))

    # --- What stays of a checkpoint -------------------------------------------------------------

    def set_externalized_checkpoint_retention(
        self, retention_mode: ExternalizedCheckpointRetention
    ) -> CheckpointConfig:
        """Whether the last checkpoints stay when the job has ended.

        With RETAIN_ON_CANCELLATION, and when nothing is set, they do; with DELETE_ON_CANCELLATION
        not when it was cancelled, with NO_EXTERNALIZED_CHECKPOINTS never. A finished job's is
        marked as finished.
        """
        _expect(retention_mode, ExternalizedCheckpointRetention)
        return self._set("externalized-checkpoint-retention", retention_mode.name)

    def get_externalized_checkpoint_retention(self) -> ExternalizedCheckpointRetention:
        """What was set; NO_EXTERNALIZED_CHECKPOINTS, as in PyFlink, when nothing was."""
        default = ExternalizedCheckpointRetention.NO_EXTERNALIZED_CHECKPOINTS.name
        name = self._get("externalized-checkpoint-retention", default)
        return ExternalizedCheckpointRetention[name.upper().replace("-", "_")]

    def is_externalized_checkpoints_enabled(self) -> bool:
        """Whether a retention was set."""
        none = ExternalizedCheckpointRetention.NO_EXTERNALIZED_CHECKPOINTS
        return self.get_externalized_checkpoint_retention() is not none

    def set_externalized_checkpoint_cleanup(
        self, cleanup_mode: ExternalizedCheckpointCleanup
    ) -> CheckpointConfig:
        """PyFlink 1.x: `set_externalized_checkpoint_retention`."""
        _expect(cleanup_mode, ExternalizedCheckpointCleanup)
        retention = ExternalizedCheckpointRetention[cleanup_mode.name]
        return self.set_externalized_checkpoint_retention(retention)

    def enable_externalized_checkpoints(
        self, cleanup_mode: ExternalizedCheckpointCleanup
    ) -> CheckpointConfig:
        """PyFlink 1.x: `set_externalized_checkpoint_retention`."""
        return self.set_externalized_checkpoint_cleanup(cleanup_mode)

    def get_externalized_checkpoint_cleanup(self) -> ExternalizedCheckpointCleanup:
        """PyFlink 1.x: `get_externalized_checkpoint_retention`."""
        return ExternalizedCheckpointCleanup[self.get_externalized_checkpoint_retention().name]

    # --- Barriers -------------------------------------------------------------------------------

    def is_unaligned_checkpoints_enabled(self) -> bool:
        """Whether barriers may overtake records; they may not, by default."""
        return self._get("unaligned.enabled", "false").lower() == "true"

    def enable_unaligned_checkpoints(self, enabled: bool = True) -> CheckpointConfig:
        """In PyFlink: let barriers overtake records. Accepted and reported.

        Leat aligns: the results are the same, and batches between tasks are small.
        """
        return self._set("unaligned.enabled", str(bool(enabled)).lower())

    def disable_unaligned_checkpoints(self) -> CheckpointConfig:
        """Align barriers; the default."""
        return self.enable_unaligned_checkpoints(False)

    def set_aligned_checkpoint_timeout(self, alignment_timeout: Duration) -> CheckpointConfig:
        """How long barriers are aligned before they may overtake."""
        _expect(alignment_timeout, Duration)
        return self._ms("aligned-checkpoint-timeout", alignment_timeout._to_millis())

    def get_aligned_checkpoint_timeout(self) -> Duration:
        """How long barriers are aligned before they may overtake; 0, not at all, by default."""
        return Duration.of_millis(_millis(self._get("aligned-checkpoint-timeout", ""), 0))

    def set_alignment_timeout(self, alignment_timeout: Duration) -> CheckpointConfig:
        """The older name of `set_aligned_checkpoint_timeout`."""
        return self.set_aligned_checkpoint_timeout(alignment_timeout)

    def get_alignment_timeout(self) -> Duration:
        """The older name of `get_aligned_checkpoint_timeout`."""
        return self.get_aligned_checkpoint_timeout()

    def set_force_unaligned_checkpoints(
        self, force_unaligned_checkpoints: bool = True
    ) -> CheckpointConfig:
        """Let barriers overtake even where Flink advises against it."""
        return self._set("unaligned.forced", str(bool(force_unaligned_checkpoints)).lower())

    def is_force_unaligned_checkpoints(self) -> bool:
        """False unless it was set."""
        return self._get("unaligned.forced", "false").lower() == "true"

    # --- PyFlink 1.x: where checkpoints lie -----------------------------------------------------

    def set_checkpoint_storage(self, storage: CheckpointStorage) -> CheckpointConfig:
        """Where checkpoints lie: with a path, in its folder for the job's name.

        Without one, they are in a temporary folder of the job's, which is gone with it.
        """
        from leat.datastream.checkpoint_storage import CheckpointStorage

        _expect(storage, CheckpointStorage)
        self._storage = storage
        path = getattr(storage, "get_checkpoint_path", lambda: None)()
        return self if path is None else self._set("dir", str(path))

    def set_checkpoint_storage_dir(self, checkpoint_path: str) -> CheckpointConfig:
        """The folder in which checkpoints lie."""
        from leat.datastream.checkpoint_storage import FileSystemCheckpointStorage

        return self.set_checkpoint_storage(FileSystemCheckpointStorage(checkpoint_path))

    def get_checkpoint_storage(self) -> CheckpointStorage | None:
        """What was set, here or by the folder's key; None by default."""
        from leat.datastream.checkpoint_storage import FileSystemCheckpointStorage

        path = self._get("dir", "")
        known = self._storage and getattr(self._storage, "get_checkpoint_path", lambda: None)()
        if path and path != known:
            return FileSystemCheckpointStorage(path)
        return self._storage

    # --- The settings behind --------------------------------------------------------------------

    def _get(self, key: str, default: str) -> str:
        return self._settings.get(_PREFIX + key) or default

    def _set(self, key: str, value: str) -> CheckpointConfig:
        self._settings.set(_PREFIX + key, value)
        return self

    def _ms(self, key: str, millis: int) -> CheckpointConfig:
        return self._set(key, f"{millis} ms")


def _expect(value: Any, kind: type) -> None:
    if not isinstance(value, kind):
        raise TypeError(f"A {kind.__name__} is needed, not {value!r}")


def _at_least(least: int, value: int, what: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{what} must be an int, not {value!r}")
    if value < least:
        raise ValueError(f"{what} must be at least {least}, not {value}")
    return value
