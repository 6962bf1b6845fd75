"""Files as sources and sinks, as PyFlink's `pyflink.datastream.connectors.file_system`.

Lines of text are read and written, bulk formats are written. Reading them, and compaction, come
with later releases and are NotSupportedErrors.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NoReturn, Self

from leat.common.serialization import BulkWriterFactory, Encoder, _known_charset
from leat.common.time import span_millis
from leat.common.typeinfo import BasicTypeInfo
from leat.datastream.connectors.base import Sink, Source, SupportsPreprocessing, no_java
from leat.datastream.functions import SinkFunction
from leat.datastream.node import shipped

if TYPE_CHECKING:
    from leat.common.time import Duration
    from leat.common.typeinfo import TypeInformation
    from leat.datastream.connectors.base import StreamTransformer

__all__ = [
    "BucketAssigner",
    "BulkFormat",
    "FileCompactStrategy",
    "FileCompactor",
    "FileEnumeratorProvider",
    "FileSink",
    "FileSource",
    "FileSourceBuilder",
    "FileSplitAssignerProvider",
    "OutputFileConfig",
    "RollingPolicy",
    "StreamFormat",
    "StreamingFileSink",
]


class StreamFormat:
    """How records are read from a file. `j_stream_format` is the charset of its lines."""

    def __init__(self, j_stream_format: str) -> None:
        self._charset = j_stream_format

    @staticmethod
    def text_line_format(charset_name: str = "UTF-8") -> StreamFormat:
        """One string per line, without its end. A ValueError for an unknown charset."""
        return StreamFormat(_known_charset(charset_name))


class BulkFormat:
    """How batches of records are read from a file: comes with the bulk formats."""

    def __init__(self, j_bulk_format: Any) -> None:
        self._format = j_bulk_format


class FileEnumeratorProvider:
    """How files are found and split. `j_file_enumerator_provider` is the name of the way."""

    def __init__(self, j_file_enumerator_provider: str) -> None:
        self._kind = j_file_enumerator_provider

    @staticmethod
    def default_splittable_file_enumerator() -> FileEnumeratorProvider:
        """Large files may be read in parts."""
        return FileEnumeratorProvider("splittable")

    @staticmethod
    def default_non_splittable_file_enumerator() -> FileEnumeratorProvider:
        """Each file is read as a whole."""
        return FileEnumeratorProvider("non-splittable")


class FileSplitAssignerProvider:
    """Who reads which file. `j_file_split_assigner` is the name of the way."""

    def __init__(self, j_file_split_assigner: str) -> None:
        self._kind = j_file_split_assigner

    @staticmethod
    def locality_aware_split_assigner() -> FileSplitAssignerProvider:
        """Whoever is nearest; on one machine, everybody is."""
        return FileSplitAssignerProvider("locality-aware")


class FileSourceBuilder:
    """Describes a FileSource; setters answer the builder."""

    def __init__(self, j_file_source_builder: tuple[StreamFormat, tuple[str, ...]]) -> None:
        self._format, self._paths = j_file_source_builder
        self._interval = 0

    def monitor_continuously(self, discovery_interval: Duration) -> FileSourceBuilder:
        """Also read files that come later; the folders are looked at so often. Never ends.

        Each file is read once, as far as it goes when it is found, so files should come whole, by
        a rename; names that begin with `.` or `_` are left out. A ValueError for an interval below
        1 ms.
        """
        interval = span_millis(discovery_interval, "monitor_continuously()")
        if interval < 1:
            raise ValueError(f"monitor_continuously(): {interval} ms is not above 0")
        self._interval = interval
        return self

    def process_static_file_set(self) -> FileSourceBuilder:
        """Read the files that are there, and end; the default."""
        self._interval = 0
        return self

    def set_file_enumerator(self, file_enumerator: FileEnumeratorProvider) -> FileSourceBuilder:
        """How files are found; all ways are the same here."""
        _expect(file_enumerator, FileEnumeratorProvider)
        return self

    def set_split_assigner(self, split_assigner: FileSplitAssignerProvider) -> FileSourceBuilder:
        """Who reads which file; all ways are the same here."""
        _expect(split_assigner, FileSplitAssignerProvider)
        return self

    def build(self) -> FileSource:
        """The source."""
        operator, params, type_info = text_source(self._paths, self._format._charset)
        if self._interval:
            params["monitor"] = self._interval
        source = FileSource((operator, params, type_info))
        source._bounded = not self._interval
        return source


class FileSource(Source):
    """Reads files, or all files of folders and those below them.

    Names that begin with `.` or `_` are left out; `.gz` files are unpacked. `j_file_source` is the
    library's operator. Made by the builders.
    """

    def __init__(
        self, j_file_source: tuple[str, dict[str, object], TypeInformation | None]
    ) -> None:
        super().__init__(j_file_source)

    @staticmethod
    def for_record_stream_format(stream_format: StreamFormat, *paths: str) -> FileSourceBuilder:
        """Begin to describe a source that reads these files or folders record by record."""
        if not isinstance(stream_format, StreamFormat):
            raise TypeError(f"A StreamFormat is needed, not {stream_format!r}")
        if type(stream_format) is not StreamFormat:
            _later(f"FileSource: {type(stream_format).__name__} comes", "read lines, and map them")
        if not paths:
            raise ValueError("FileSource: at least one path is needed")
        return FileSourceBuilder((stream_format, paths))

    @staticmethod
    def for_bulk_file_format(bulk_format: BulkFormat, *paths: str) -> NoReturn:
        """A NotSupportedError: bulk formats come with a later release."""
        _later("FileSource.for_bulk_file_format(): bulk formats come")


class BucketAssigner:
    """The folder that a record's file lies in, below the sink's.

    `j_bucket_assigner` is a date format and a time zone or None.
    """

    def __init__(self, j_bucket_assigner: tuple[str, str | None]) -> None:
        self._format, self._zone = j_bucket_assigner

    @staticmethod
    def base_path_bucket_assigner() -> BucketAssigner:
        """The sink's folder itself."""
        return BucketAssigner(("", None))

    @staticmethod
    def date_time_bucket_assigner(
        format_str: str = "yyyy-MM-dd--HH", timezone_id: str | None = None
    ) -> BucketAssigner:
        """A folder by the time at which a record is written; one per hour by default.

        `format_str` is a pattern of Java's DateTimeFormatter: years (y), months (M), days (d, D,
        E), hours (H, h), minutes (m), seconds (s, S), 'text in quotes' and `/`. `timezone_id` is
        "UTC", "+02:00", "Europe/Berlin" ...; None is the system's. What is not understood is an
        error of `sink_to`.
        """
        if not format_str:
            raise ValueError("date_time_bucket_assigner: the format is empty")
        return BucketAssigner((format_str, timezone_id))

    def get_java_object(self) -> NoReturn:
        """Always a NotSupportedError: there is no Java behind Leat's connectors."""
        no_java("BucketAssigner")


class RollingPolicy:
    """When a file is finished and the next one begun. `j_rolling_policy` are parameters."""

    def __init__(self, j_rolling_policy: dict[str, int]) -> None:
        self._params = j_rolling_policy

    @staticmethod
    def default_rolling_policy(
        part_size: int = 128 * 1024 * 1024,
        rollover_interval: int = 60 * 1000,
        inactivity_interval: int = 60 * 1000,
    ) -> DefaultRollingPolicy:
        """By size in bytes, age, and time since the last record in milliseconds.

        Size is looked at before each record and with each checkpoint, ages every
        `with_bucket_check_interval`. A file that goes on over a checkpoint stays hidden. A
        ValueError below 1.
        """
        limits = {
            "part_size": part_size,
            "rollover": rollover_interval,
            "inactivity": inactivity_interval,
        }
        for name, limit in limits.items():
            if limit < 1:
                raise ValueError(f"default_rolling_policy: {name} must be at least 1, not {limit}")
        return DefaultRollingPolicy(limits)

    @staticmethod
    def on_checkpoint_rolling_policy() -> OnCheckpointRollingPolicy:
        """With each checkpoint; without checkpoints, at the end of the job."""
        return OnCheckpointRollingPolicy({"roll_on_checkpoint": 1})

    def get_java_object(self) -> NoReturn:
        """Always a NotSupportedError: there is no Java behind Leat's connectors."""
        no_java("RollingPolicy")


class DefaultRollingPolicy(RollingPolicy):
    """What `RollingPolicy.default_rolling_policy` answers."""


class OnCheckpointRollingPolicy(RollingPolicy):
    """What `RollingPolicy.on_checkpoint_rolling_policy` answers."""


class OutputFileConfig:
    """What the names of files begin and end with: `<prefix>-<id>-<counter><suffix>`."""

    class OutputFileConfigBuilder:
        """Describes an OutputFileConfig; setters answer the builder."""

        def __init__(self) -> None:
            self.part_prefix = "part"
            self.part_suffix = ""

        def with_part_prefix(self, prefix: str) -> OutputFileConfig.OutputFileConfigBuilder:
            """What names begin with; `part` by default."""
            self.part_prefix = prefix
            return self

        def with_part_suffix(self, suffix: str) -> OutputFileConfig.OutputFileConfigBuilder:
            """What names end with; nothing by default."""
            self.part_suffix = suffix
            return self

        def build(self) -> OutputFileConfig:
            """The OutputFileConfig."""
            return OutputFileConfig(self.part_prefix, self.part_suffix)

    def __init__(self, part_prefix: str, part_suffix: str) -> None:
        self._part_prefix = _file_name(part_prefix)
        self._part_suffix = _file_name(part_suffix)

    @staticmethod
    def builder() -> OutputFileConfigBuilder:
        """Begin to describe an OutputFileConfig."""
        return OutputFileConfig.OutputFileConfigBuilder()

    def get_part_prefix(self) -> str:
        """What names begin with."""
        return self._part_prefix

    def get_part_suffix(self) -> str:
        """What names end with."""
        return self._part_suffix

    def get_java_object(self) -> NoReturn:
        """Always a NotSupportedError: there is no Java behind Leat's connectors."""
        no_java("OutputFileConfig")


class FileCompactStrategy:
    """When small files are put together. `j_file_compact_strategy` are its settings."""

    class Builder:
        """Describes a FileCompactStrategy; setters answer the builder."""

        def __init__(self) -> None:
            self._settings = {"checkpoints": -1, "size": -1, "threads": 1}

        def build(self) -> FileCompactStrategy:
            """The strategy."""
            return FileCompactStrategy(dict(self._settings))

        def enable_compaction_on_checkpoint(
            self, num_checkpoints_before_compaction: int
        ) -> FileCompactStrategy.Builder:
            """After so many checkpoints."""
            return self._set("checkpoints", num_checkpoints_before_compaction)

        def set_size_threshold(self, size_threshold: int) -> FileCompactStrategy.Builder:
            """When the files have so many bytes together."""
            return self._set("size", size_threshold)

        def set_num_compact_threads(self, num_compact_threads: int) -> FileCompactStrategy.Builder:
            """By so many threads; 1 by default."""
            return self._set("threads", num_compact_threads)

        def _set(self, name: str, value: int) -> FileCompactStrategy.Builder:
            if value < 1:
                raise ValueError(f"FileCompactStrategy: {name} must be at least 1, not {value}")
            self._settings[name] = value
            return self

    def __init__(self, j_file_compact_strategy: dict[str, int]) -> None:
        self._settings = j_file_compact_strategy

    @staticmethod
    def builder() -> FileCompactStrategy.Builder:
        """Begin to describe a FileCompactStrategy."""
        return FileCompactStrategy.Builder()

    def get_java_object(self) -> NoReturn:
        """Always a NotSupportedError: there is no Java behind Leat's connectors."""
        no_java("FileCompactStrategy")


class FileCompactor:
    """How small files are put together. `j_file_compactor` is the library's name for it."""

    def __init__(self, j_file_compactor: Any) -> None:
        self._compactor = j_file_compactor

    @staticmethod
    def concat_file_compactor(file_delimiter: bytes | None = None) -> FileCompactor:
        """One after the other, with these bytes between them."""
        return FileCompactor(("concat", file_delimiter))

    @staticmethod
    def identical_file_compactor() -> FileCompactor:
        """A single file as it is."""
        return FileCompactor(("identical",))

    def get_java_object(self) -> NoReturn:
        """Always a NotSupportedError: there is no Java behind Leat's connectors."""
        no_java("FileCompactor")


class _FileSinkBuilder:
    """What the builders of FileSink and StreamingFileSink have in common."""

    _is_bulk = False

    def __init__(self, j_builder: tuple[str, Encoder | BulkWriterFactory]) -> None:
        path, form = j_builder
        self._path = _local(path)
        self._form = form
        self._bucket = BucketAssigner.date_time_bucket_assigner()
        self._files = OutputFileConfig.builder().build()
        self._rolling: RollingPolicy = (
            RollingPolicy.on_checkpoint_rolling_policy()
            if self._is_bulk
            else RollingPolicy.default_rolling_policy()
        )
        self._check_interval = 60 * 1000

    def with_bucket_check_interval(self, interval: int) -> Self:
        """How often ages are looked at, in milliseconds; a minute by default."""
        if interval < 1:
            raise ValueError(f"The interval must be at least 1 ms, not {interval}")
        self._check_interval = interval
        return self

    def with_bucket_assigner(self, bucket_assigner: BucketAssigner) -> Self:
        """The folders below the sink's; one per hour by default."""
        _expect(bucket_assigner, BucketAssigner)
        self._bucket = bucket_assigner
        return self

    def with_output_file_config(self, output_file_config: OutputFileConfig) -> Self:
        """How files are called."""
        _expect(output_file_config, OutputFileConfig)
        self._files = output_file_config
        return self

    def with_rolling_policy(self, rolling_policy: RollingPolicy) -> Self:
        """When a file is finished. A ValueError for a bulk format and another policy than
        `RollingPolicy.on_checkpoint_rolling_policy()`, its default.
        """
        _expect(rolling_policy, RollingPolicy)
        if self._is_bulk and not isinstance(rolling_policy, OnCheckpointRollingPolicy):
            raise ValueError("rolling_policy must be OnCheckpointRollingPolicy for bulk format")
        self._rolling = rolling_policy
        return self

    def _operator(self) -> tuple[str, dict[str, object], str]:
        params: dict[str, object] = {
            "path": self._path,
            "prefix": self._files.get_part_prefix(),
            "suffix": self._files.get_part_suffix(),
            "bucket": self._bucket._format,
            "check_interval": self._check_interval,
            **self._rolling._params,
        }
        if self._bucket._zone is not None:
            params["zone"] = self._bucket._zone
        if isinstance(self._form, Encoder):
            params["charset"] = self._form._charset
        else:
            params["writer"] = shipped(self._form, BulkWriterFactory, "File Sink")
        return "file_sink", params, "File Sink"


class FileSink(Sink, SupportsPreprocessing):
    """Writes records to files of a folder, each exactly once.

    A file has a hidden name until the checkpoint is complete that has its last record, or without
    checkpoints until the job has finished. Then it is called
    `<prefix>-<id of the subtask>-<counter><suffix>`. A job that fails leaves hidden files, which
    nobody deletes. `j_file_sink` is the library's operator.
    """

    class BaseBuilder(_FileSinkBuilder):
        """Describes a FileSink; setters answer the builder."""

        def enable_compact(self, strategy: Any, compactor: Any) -> NoReturn:
            """A NotSupportedError: compaction comes with a later release."""
            _later("FileSink.enable_compact(): compaction comes")

        def disable_compact(self) -> Self:
            """Leave files as they are; the default."""
            return self

        def build(self) -> FileSink:
            """The sink."""
            return FileSink(self._operator())

    class RowFormatBuilder(BaseBuilder):
        """Describes a sink that writes record by record."""

    class BulkFormatBuilder(BaseBuilder):
        """Describes a sink whose files are in a bulk format: each ends with a checkpoint."""

        _is_bulk = True

    def __init__(
        self,
        j_file_sink: tuple[str, dict[str, object], str],
        transformer: StreamTransformer | None = None,
    ) -> None:
        super().__init__(j_file_sink)
        self._transformer = transformer

    @staticmethod
    def for_row_format(base_path: str, encoder: Encoder) -> RowFormatBuilder:
        """Begin to describe a sink that writes record by record into this folder."""
        _expect(encoder, Encoder)
        return FileSink.RowFormatBuilder((base_path, encoder))

    @staticmethod
    def for_bulk_format(base_path: str, writer_factory: BulkWriterFactory) -> BulkFormatBuilder:
        """Begin to describe a sink whose files are in a bulk format, such as Parquet.

        `writer_factory` makes a writer for each file. A NotSupportedError for a format whose
        library is not installed.
        """
        return FileSink.BulkFormatBuilder((base_path, _checked_format(writer_factory)))

    def get_transformer(self) -> StreamTransformer | None:
        """None: records are written as they come."""
        return self._transformer


class StreamingFileSink(SinkFunction):
    """The older FileSink, for `add_sink`: the same files in the same way.

    Unlike Flink's it finishes its files at the end of a job without checkpoints, too, as FileSink
    does. `j_obj` is the library's operator.
    """

    class BaseBuilder(_FileSinkBuilder):
        """Describes a StreamingFileSink; setters answer the builder."""

        def build(self) -> StreamingFileSink:
            """The sink."""
            return StreamingFileSink(self._operator())

    class DefaultRowFormatBuilder(BaseBuilder):
        """Describes a sink that writes record by record."""

    class DefaultBulkFormatBuilder(BaseBuilder):
        """Describes a sink whose files are in a bulk format: each ends with a checkpoint."""

        _is_bulk = True

    def __init__(self, j_obj: tuple[str, dict[str, object], str]) -> None:
        self._sink = FileSink(j_obj)

    @staticmethod
    def for_row_format(base_path: str, encoder: Encoder) -> DefaultRowFormatBuilder:
        """Begin to describe a sink that writes record by record into this folder."""
        _expect(encoder, Encoder)
        return StreamingFileSink.DefaultRowFormatBuilder((base_path, encoder))

    @staticmethod
    def for_bulk_format(
        base_path: str, writer_factory: BulkWriterFactory
    ) -> DefaultBulkFormatBuilder:
        """Begin to describe a sink whose files are in a bulk format, such as Parquet.

        `writer_factory` makes a writer for each file. A NotSupportedError for a format whose
        library is not installed.
        """
        return StreamingFileSink.DefaultBulkFormatBuilder(
            (base_path, _checked_format(writer_factory))
        )

    def get_java_function(self) -> NoReturn:
        """Always a NotSupportedError: there is no Java behind Leat's connectors."""
        no_java("StreamingFileSink")


def text_source(paths: Any, charset: str) -> tuple[str, dict[str, object], TypeInformation | None]:
    """The library's operator that reads lines, its parameters, and the type of its values."""
    params: dict[str, object] = {
        "paths": [_local(path) for path in paths],
        "charset": _known_charset(charset),
    }
    return "text_source", params, BasicTypeInfo.STRING_TYPE_INFO()


def _local(path: str) -> str:
    """A path of this machine; `file:` before it is taken off, other schemes are ValueErrors."""
    text = os.fspath(path)
    scheme, colon, rest = text.partition("://")
    if not colon:
        return text[5:] if text.startswith("file:/") else text
    if scheme != "file":
        raise ValueError(f"{text!r}: only files of this machine can be read and written")
    return rest


def _file_name(part: str) -> str:
    if "/" in part or "\0" in part:
        raise ValueError(f"{part!r} cannot be part of a file's name")
    return part


def _expect(value: Any, kind: type) -> None:
    if not isinstance(value, kind):
        article = "An" if kind.__name__[0] in "AEIOU" else "A"
        raise TypeError(f"{article} {kind.__name__} is needed, not {value!r}")


def _checked_format(factory: Any) -> BulkWriterFactory:
    """A ready format, an object with `create(stream)`; a TypeError for anything else."""
    if isinstance(factory, type) or not callable(getattr(factory, "create", None)):
        raise TypeError(f"A BulkWriterFactory is needed, not {factory!r}")
    if isinstance(factory, BulkWriterFactory):
        factory._check()
    return factory


def _later(what: str, instead: str = "read and write lines of text") -> NoReturn:
    from leat.common.errors import NotSupportedError

    raise NotSupportedError(f"{what} with a later release", instead)
