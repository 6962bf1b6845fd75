"""Where keyed state is kept while a job runs, as PyFlink's `pyflink.datastream.state_backend`.

Leat keeps it in memory. The other descriptions are kept and told; what they ask for changes where
state lies, and never a result.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

__all__ = [
    "CustomStateBackend",
    "EmbeddedRocksDBStateBackend",
    "FsStateBackend",
    "HashMapStateBackend",
    "MemoryStateBackend",
    "PredefinedOptions",
    "RocksDBStateBackend",
    "StateBackend",
]


class StateBackend:
    """Base of the descriptions. `j_state_backend` is the value of `state.backend.type`."""

    def __init__(self, j_state_backend: Any) -> None:
        self._type = j_state_backend


class HashMapStateBackend(StateBackend):
    """In memory; what Leat does."""

    def __init__(self, j_hashmap_state_backend: Any = None) -> None:
        super().__init__(j_hashmap_state_backend or "hashmap")


class PredefinedOptions(Enum):
    """Settings of RocksDB for kinds of disks. Kept and told."""

    DEFAULT = 0
    SPINNING_DISK_OPTIMIZED = 1
    SPINNING_DISK_OPTIMIZED_HIGH_MEM = 2
    FLASH_SSD_OPTIMIZED = 3


class EmbeddedRocksDBStateBackend(StateBackend):
    """In RocksDB, for state larger than memory. Accepted; Leat keeps state in memory so far.

    A TypeError unless `enable_incremental_checkpointing` is None, True or False.
    """

    def __init__(
        self,
        enable_incremental_checkpointing: bool | None = None,
        j_embedded_rocks_db_state_backend: Any = None,
    ) -> None:
        if enable_incremental_checkpointing not in (None, True, False):
            raise TypeError(
                "enable_incremental_checkpointing must be None, True or False, not "
                f"{enable_incremental_checkpointing!r}"
            )
        super().__init__(j_embedded_rocks_db_state_backend or "rocksdb")
        self._incremental = bool(enable_incremental_checkpointing)
        self._paths: tuple[str, ...] = ()
        self._options: str | None = None
        self._predefined = PredefinedOptions.DEFAULT
        self._threads = 4

    def set_db_storage_paths(self, *paths: str) -> None:
        """The folders for RocksDB's files."""
        if not paths:
            raise ValueError("set_db_storage_paths: at least one path is needed")
        self._paths = paths

    def get_db_storage_paths(self) -> list[str] | None:
        """The folders for RocksDB's files; None when they were not set."""
        return list(self._paths) or None

    def is_incremental_checkpoints_enabled(self) -> bool:
        """Whether a checkpoint has only what is new; False by default."""
        return self._incremental

    def set_predefined_options(self, options: PredefinedOptions) -> None:
        """The kind of disk."""
        if not isinstance(options, PredefinedOptions):
            raise TypeError(f"A PredefinedOptions is needed, not {options!r}")
        self._predefined = options

    def get_predefined_options(self) -> PredefinedOptions:
        """The kind of disk; DEFAULT by default."""
        return self._predefined

    def set_options(self, options_factory_class_name: str) -> None:
        """A Java class that makes options. Kept and told."""
        self._options = options_factory_class_name

    def get_options(self) -> str | None:
        """The Java class that makes options; None when it was not set."""
        return self._options

    def get_number_of_transfer_threads(self) -> int:
        """Threads that copy files; 4 by default."""
        return self._threads

    def set_number_of_transfer_threads(self, number_of_transfering_threads: int) -> None:
        """Threads that copy files; at least 1."""
        if number_of_transfering_threads < 1:
            raise ValueError(f"At least one thread is needed, not {number_of_transfering_threads}")
        self._threads = number_of_transfering_threads


class CustomStateBackend(StateBackend):
    """A backend written in Java. A NotSupportedError: Leat runs no Java."""

    def __init__(self, j_custom_state_backend: Any) -> None:
        from leat.common.errors import NotSupportedError

        raise NotSupportedError("CustomStateBackend: Leat runs no Java", "use HashMapStateBackend")


# --- PyFlink 1.x ----------------------------------------------------------------------------------


class MemoryStateBackend(StateBackend):
    """PyFlink 1.x: HashMapStateBackend with JobManagerCheckpointStorage."""

    DEFAULT_MAX_STATE_SIZE = 5 * 1024 * 1024

    def __init__(
        self,
        checkpoint_path: str | None = None,
        savepoint_path: str | None = None,
        max_state_size: int | None = None,
        using_asynchronous_snapshots: bool | None = None,
        j_memory_state_backend: Any = None,
    ) -> None:
        super().__init__(j_memory_state_backend or "hashmap")
        self._paths = checkpoint_path, savepoint_path
        self._max_state_size = (
            self.DEFAULT_MAX_STATE_SIZE if max_state_size is None else max_state_size
        )
        self._asynchronous = using_asynchronous_snapshots is not False

    def get_max_state_size(self) -> int:
        """The most bytes of one state; 5 MiB by default."""
        return self._max_state_size

    def is_using_asynchronous_snapshots(self) -> bool:
        """Whether snapshots are written while the job goes on; True by default."""
        return self._asynchronous


class FsStateBackend(StateBackend):
    """PyFlink 1.x: HashMapStateBackend with FileSystemCheckpointStorage."""

    def __init__(  # noqa: PLR0917 - PyFlink's signature
        self,
        checkpoint_directory_uri: str | None = None,
        default_savepoint_directory_uri: str | None = None,
        file_state_size_threshold: int | None = None,
        write_buffer_size: int | None = None,
        using_asynchronous_snapshots: bool | None = None,
        j_fs_state_backend: Any = None,
    ) -> None:
        if checkpoint_directory_uri is None and j_fs_state_backend is None:
            raise ValueError("The parameter 'checkpoint_directory_uri' is required!")
        super().__init__(j_fs_state_backend or "hashmap")
        self._paths = checkpoint_directory_uri, default_savepoint_directory_uri
        self._threshold = (
            20 * 1024 if file_state_size_threshold is None else file_state_size_threshold
        )
        self._buffer = 4096 if write_buffer_size is None else write_buffer_size
        self._asynchronous = using_asynchronous_snapshots is not False

    def get_checkpoint_path(self) -> str | None:
        """The folder of the checkpoints."""
        return self._paths[0]

    def get_min_file_size_threshold(self) -> int:
        """Bytes below which a state gets no file of its own; 20 KiB by default."""
        return self._threshold

    def get_write_buffer_size(self) -> int:
        """Bytes gathered before they are written; 4096 by default."""
        return max(self._buffer, self._threshold)

    def is_using_asynchronous_snapshots(self) -> bool:
        """Whether snapshots are written while the job goes on; True by default."""
        return self._asynchronous


class RocksDBStateBackend(EmbeddedRocksDBStateBackend):
    """PyFlink 1.x: EmbeddedRocksDBStateBackend with a storage for checkpoints."""

    def __init__(
        self,
        checkpoint_data_uri: str | None = None,
        enable_incremental_checkpointing: bool | None = None,
        checkpoint_stream_backend: StateBackend | None = None,
        j_rocks_db_state_backend: Any = None,
    ) -> None:
        if checkpoint_data_uri is None and checkpoint_stream_backend is None:
            raise ValueError("A checkpoint_data_uri or a checkpoint_stream_backend is needed")
        super().__init__(enable_incremental_checkpointing, j_rocks_db_state_backend)
        self._checkpoint_backend = checkpoint_stream_backend or FsStateBackend(checkpoint_data_uri)

    def get_checkpoint_backend(self) -> StateBackend:
        """Where checkpoints go."""
        return self._checkpoint_backend

    def get_number_of_transfering_threads(self) -> int:
        """The older name of `get_number_of_transfer_threads`."""
        return self.get_number_of_transfer_threads()

    def set_number_of_transfering_threads(self, number_of_transfering_threads: int) -> None:
        """The older name of `set_number_of_transfer_threads`."""
        self.set_number_of_transfer_threads(number_of_transfering_threads)
