"""Where checkpoints lie, as PyFlink's `pyflink.datastream.checkpoint_storage`.

Descriptions for `CheckpointConfig.set_checkpoint_storage`, of which the path counts: all state is
in the job's memory, and all of a checkpoint in files.
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "CheckpointStorage",
    "CustomCheckpointStorage",
    "FileSystemCheckpointStorage",
    "JobManagerCheckpointStorage",
]


class CheckpointStorage:
    """Base of the descriptions. `j_checkpoint_storage` is its kind."""

    def __init__(self, j_checkpoint_storage: Any) -> None:
        self._kind = j_checkpoint_storage


class JobManagerCheckpointStorage(CheckpointStorage):
    """In files as well: in the folder, if one is given, otherwise as long as the job."""

    DEFAULT_MAX_STATE_SIZE = 5 * 1024 * 1024

    def __init__(
        self,
        checkpoint_path: str | None = None,
        max_state_size: int | None = None,
        j_jobmanager_checkpoint_storage: Any = None,
    ) -> None:
        super().__init__(j_jobmanager_checkpoint_storage or "jobmanager")
        self._path = checkpoint_path
        self._max_state_size = (
            self.DEFAULT_MAX_STATE_SIZE if max_state_size is None else max_state_size
        )

    def get_checkpoint_path(self) -> str | None:
        """The folder; None without one."""
        return self._path

    def get_max_state_size(self) -> int:
        """The most bytes of one state; 5 MiB by default."""
        return self._max_state_size

    def get_savepoint_path(self) -> str | None:
        """None: it was never set."""
        return None


class FileSystemCheckpointStorage(CheckpointStorage):
    """In a folder. A ValueError without a path."""

    MAX_FILE_STATE_THRESHOLD = 1024 * 1024

    def __init__(
        self,
        checkpoint_path: str | None = None,
        file_state_size_threshold: int | None = None,
        write_buffer_size: int = -1,
        j_filesystem_checkpoint_storage: Any = None,
    ) -> None:
        if checkpoint_path is None and j_filesystem_checkpoint_storage is None:
            raise ValueError("checkpoint_path must not be None.")
        super().__init__(j_filesystem_checkpoint_storage or "filesystem")
        self._path = checkpoint_path
        self._threshold = (
            20 * 1024 if file_state_size_threshold is None else file_state_size_threshold
        )
        self._buffer = 4096 if write_buffer_size == -1 else write_buffer_size
        if not 0 <= self._threshold <= self.MAX_FILE_STATE_THRESHOLD:
            raise ValueError(
                f"file_state_size_threshold must be 0 to {self.MAX_FILE_STATE_THRESHOLD} bytes, "
                f"not {self._threshold}"
            )

    def get_checkpoint_path(self) -> str | None:
        """The folder."""
        return self._path

    def get_savepoint_path(self) -> str | None:
        """None: it was never set."""
        return None

    def get_min_file_size_threshold(self) -> int:
        """Bytes below which a state gets no file of its own; 20 KiB by default."""
        return self._threshold

    def get_write_buffer_size(self) -> int:
        """Bytes gathered before they are written; 4096 by default."""
        return max(self._buffer, self._threshold)


class CustomCheckpointStorage(CheckpointStorage):
    """A storage written in Java. A NotSupportedError: Leat runs no Java."""

    def __init__(self, j_custom_checkpoint_storage: Any) -> None:
        from leat.common.errors import NotSupportedError

        raise NotSupportedError(
            "CustomCheckpointStorage: Leat runs no Java", "use FileSystemCheckpointStorage"
        )
