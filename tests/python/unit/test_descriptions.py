"""Descriptions that are kept and told: checkpoints, state backends, formats."""

from __future__ import annotations

import pytest
from leat.common import Duration, Encoder, ExecutionConfig, Types
from leat.common.errors import NotSupportedError
from leat.common.serialization import BulkWriterFactory, SimpleStringEncoder
from leat.datastream import (
    CheckpointingMode,
    CustomCheckpointStorage,
    CustomStateBackend,
    EmbeddedRocksDBStateBackend,
    ExternalizedCheckpointCleanup,
    ExternalizedCheckpointRetention,
    FileSystemCheckpointStorage,
    FsStateBackend,
    HashMapStateBackend,
    JobManagerCheckpointStorage,
    MemoryStateBackend,
    PredefinedOptions,
    RocksDBStateBackend,
    TimeCharacteristic,
)
from leat.datastream.connectors import NumberSequenceSource
from leat.datastream.connectors.file_system import (
    BucketAssigner,
    FileCompactor,
    FileCompactStrategy,
    FileSink,
    FileSource,
    OutputFileConfig,
    RollingPolicy,
)
from leat.datastream.connectors.hybrid_source import HybridSource
from leat.datastream.formats.avro import (
    AvroBulkWriters,
    AvroInputFormat,
    AvroRowDeserializationSchema,
    AvroSchema,
)
from leat.datastream.formats.csv import (
    CsvReaderFormat,
    CsvRowDeserializationSchema,
    CsvRowSerializationSchema,
    CsvSchema,
)
from leat.datastream.formats.json import (
    JsonRowDeserializationSchema,
    JsonRowSerializationSchema,
)
from leat.datastream.formats.parquet import AvroParquetReaders, ParquetColumnarRowInputFormat


@pytest.fixture
def config(env):
    return env.get_checkpoint_config()


def test_defaults_of_checkpoints(config):
    assert not config.is_checkpointing_enabled()
    assert config.get_checkpoint_interval() == -1
    assert config.get_checkpointing_mode() is CheckpointingMode.EXACTLY_ONCE
    assert config.get_checkpoint_timeout() == 600_000
    assert config.get_min_pause_between_checkpoints() == 0
    assert config.get_max_concurrent_checkpoints() == 1
    assert config.is_fail_on_checkpointing_errors()
    assert config.get_tolerable_checkpoint_failure_number() == 0
    assert not config.is_externalized_checkpoints_enabled()
    assert not config.is_unaligned_checkpoints_enabled()
    assert not config.is_force_unaligned_checkpoints()
    assert config.get_alignment_timeout() == Duration.of_millis(0)
    assert config.get_checkpoint_storage() is None


def test_settings_of_checkpoints_are_kept(env, config):
    retained = ExternalizedCheckpointRetention.RETAIN_ON_CANCELLATION
    assert (
        config.set_checkpoint_interval(5000)
        .set_checkpointing_mode(CheckpointingMode.AT_LEAST_ONCE)
        .set_checkpoint_timeout(20_000)
        .set_min_pause_between_checkpoints(7)
        .set_max_concurrent_checkpoints(2)
        .set_fail_on_checkpointing_errors(False)
        .set_externalized_checkpoint_retention(retained)
        .enable_unaligned_checkpoints()
        .set_alignment_timeout(Duration.of_seconds(2))
        .set_force_unaligned_checkpoints()
        .set_checkpoint_storage_dir("file:///points")
    ) is config
    assert config.is_checkpointing_enabled()
    assert env.get_checkpoint_interval() == 5000
    assert env.get_checkpointing_mode() is CheckpointingMode.AT_LEAST_ONCE
    assert env.get_checkpointing_consistency_mode() is CheckpointingMode.AT_LEAST_ONCE
    assert config.get_checkpoint_timeout() == 20_000
    assert config.get_min_pause_between_checkpoints() == 7
    assert config.get_max_concurrent_checkpoints() == 2
    assert config.get_tolerable_checkpoint_failure_number() == 2**31 - 1
    assert config.get_externalized_checkpoint_retention() is retained
    assert config.get_externalized_checkpoint_cleanup().name == "RETAIN_ON_CANCELLATION"
    assert env.is_unaligned_checkpoints_enabled()
    assert env.is_force_unaligned_checkpoints()
    assert config.get_aligned_checkpoint_timeout() == Duration.of_millis(2000)
    assert config.get_checkpoint_storage().get_checkpoint_path() == "file:///points"
    config.disable_unaligned_checkpoints()
    config.enable_externalized_checkpoints(ExternalizedCheckpointCleanup.DELETE_ON_CANCELLATION)
    assert not config.is_unaligned_checkpoints_enabled()
    assert config.get_externalized_checkpoint_retention().name == "DELETE_ON_CANCELLATION"


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda c: c.set_checkpoint_interval(9), ValueError),
        (lambda c: c.set_checkpoint_interval("1 s"), TypeError),
        (lambda c: c.set_checkpoint_timeout(0), ValueError),
        (lambda c: c.set_max_concurrent_checkpoints(0), ValueError),
        (lambda c: c.set_checkpointing_mode("EXACTLY_ONCE"), TypeError),
        (lambda c: c.set_externalized_checkpoint_retention(None), TypeError),
        (lambda c: c.set_alignment_timeout(5), TypeError),
        (lambda c: c.set_checkpoint_storage("folder"), TypeError),
    ],
)
def test_wrong_settings_of_checkpoints(config, call, error):
    with pytest.raises(error):
        call(config)


def test_settings_of_checkpoints_are_the_configuration(env, config):
    env.enable_checkpointing(1000, CheckpointingMode.AT_LEAST_ONCE)
    config.enable_unaligned_checkpoints().set_checkpoint_storage_dir("/points")
    kept = {
        key: env._engine.get(f"execution.checkpointing.{key}")
        for key in ("interval", "mode", "unaligned.enabled", "dir")
    }
    assert kept == {
        "interval": "1000 ms",
        "mode": "AT_LEAST_ONCE",
        "unaligned.enabled": "true",
        "dir": "/points",
    }
    assert config.get_checkpoint_storage().get_checkpoint_path() == "/points"


def test_a_job_whose_checkpoints_have_no_interval_runs(env, config):
    config.set_checkpoint_timeout(20_000)
    env.from_collection([1]).print()
    env.execute()
    assert len(env._engine.jobs) == 1


def test_storage_of_checkpoints():
    memory = JobManagerCheckpointStorage()
    assert (memory.get_checkpoint_path(), memory.get_savepoint_path()) == (None, None)
    assert memory.get_max_state_size() == 5 << 20
    files = FileSystemCheckpointStorage("/points", 1000, 100)
    assert files.get_checkpoint_path() == "/points"
    assert files.get_min_file_size_threshold() == 1000
    assert files.get_write_buffer_size() == 1000
    with pytest.raises(ValueError, match="checkpoint_path"):
        FileSystemCheckpointStorage()
    with pytest.raises(ValueError, match="file_state_size_threshold"):
        FileSystemCheckpointStorage("/points", 1 << 21)
    with pytest.raises(NotSupportedError):
        CustomCheckpointStorage(None)


def test_state_backends(env):
    assert env.get_state_backend() is None
    for backend, text in (
        (HashMapStateBackend(), "hashmap"),
        (MemoryStateBackend(), "hashmap"),
        (FsStateBackend("/points"), "hashmap"),
        (EmbeddedRocksDBStateBackend(True), "rocksdb"),
        (RocksDBStateBackend("/points"), "rocksdb"),
    ):
        assert env.set_state_backend(backend) is env
        assert env.get_state_backend() is backend
        assert env._engine.settings["state.backend.type"] == text
    with pytest.raises(TypeError, match="StateBackend"):
        env.set_state_backend("rocksdb")
    with pytest.raises(NotSupportedError):
        CustomStateBackend(None)


def test_rocksdb_tells_what_it_was_told():
    backend = RocksDBStateBackend("/points", enable_incremental_checkpointing=True)
    backend.set_db_storage_paths("/a", "/b")
    backend.set_predefined_options(PredefinedOptions.FLASH_SSD_OPTIMIZED)
    backend.set_options("a.Factory")
    backend.set_number_of_transfering_threads(7)
    assert backend.is_incremental_checkpoints_enabled()
    assert backend.get_db_storage_paths() == ["/a", "/b"]
    assert backend.get_predefined_options() is PredefinedOptions.FLASH_SSD_OPTIMIZED
    assert backend.get_options() == "a.Factory"
    assert backend.get_number_of_transfer_threads() == 7
    assert backend.get_checkpoint_backend().get_checkpoint_path() == "/points"
    with pytest.raises(TypeError):
        EmbeddedRocksDBStateBackend("yes")
    with pytest.raises(ValueError, match="thread"):
        backend.set_number_of_transfer_threads(0)


def test_older_settings(env):
    assert env.get_stream_time_characteristic() is TimeCharacteristic.EventTime
    env.set_stream_time_characteristic(TimeCharacteristic.ProcessingTime)
    assert env.get_stream_time_characteristic() is TimeCharacteristic.ProcessingTime
    env.register_type("a.Class")
    env.add_default_kryo_serializer("a.Class", "b.Class")
    config: ExecutionConfig = env.get_config()
    assert config.get_execution_mode().name == "PIPELINED"
    assert config.get_default_input_dependency_constraint().name == "ANY"
    assert not config.is_auto_type_registration_disabled()
    assert config.disable_auto_type_registration().is_auto_type_registration_disabled()
    assert config.register_kryo_type("a").register_pojo_type("b").get_registered_kryo_types() == []


# --- Formats --------------------------------------------------------------------------------------


def test_a_csv_schema():
    first = CsvSchema.builder().add_string_column("a").add_number_column("b").build()
    builder = CsvSchema.builder().add_columns_from(first).add_boolean_column("c")
    builder.add_array_column("d", "|").set_column_separator("\t").set_use_header()
    assert (first.size(), builder.size(), len(builder.build())) == (2, 4, 4)
    assert builder.clear_columns().size() == 0
    with pytest.raises(ValueError, match="one character"):
        builder.set_quote_char("''")
    with pytest.raises(ValueError, match="a column 'x' already"):
        builder.add_string_column("x").add_string_column("x")
    with pytest.raises(TypeError, match="CsvSchema"):
        CsvReaderFormat.for_schema("a,b")


def test_schemas_need_a_type():
    row = Types.ROW([Types.INT()])
    for made in (
        CsvRowDeserializationSchema.Builder(row).set_field_delimiter(";").build(),
        CsvRowSerializationSchema.Builder(row).disable_quote_character().build(),
        JsonRowDeserializationSchema.builder().type_info(row).ignore_parse_errors().build(),
        JsonRowSerializationSchema.builder().with_type_info(row).build(),
    ):
        assert made._schema[0] in ("csv", "json")
    for make in (
        lambda: CsvRowDeserializationSchema.Builder(None),
        lambda: CsvRowSerializationSchema.Builder(None),
        JsonRowDeserializationSchema.builder().build,
        JsonRowSerializationSchema.builder().build,
        AvroRowDeserializationSchema,
    ):
        with pytest.raises(TypeError):
            make()


def test_avro_schemas_are_read(tmp_path):
    text = '{"type":"record","name":"r","fields":[]}'
    (tmp_path / "s.avsc").write_text(text)
    schema = AvroSchema.parse_file(str(tmp_path / "s.avsc"))
    assert str(schema) == str(AvroSchema.parse_string(text)) == text
    assert isinstance(AvroBulkWriters.for_generic_record(schema), BulkWriterFactory)
    with pytest.raises(ValueError, match="Expecting"):
        AvroSchema.parse_string("{")
    with pytest.raises(TypeError, match="AvroSchema"):
        AvroBulkWriters.for_generic_record(text)


def test_what_would_read_or_write_formats_refuses(env):
    csv = CsvReaderFormat.for_schema(CsvSchema.builder().add_string_column("a").build())
    parquet = ParquetColumnarRowInputFormat(None)
    avro = AvroSchema.parse_string("{}")
    for attempt in (
        lambda: FileSource.for_record_stream_format(csv, "/x"),
        lambda: FileSource.for_record_stream_format(AvroParquetReaders.for_generic_record(avro)),
        lambda: FileSource.for_bulk_file_format(parquet, "/x"),
        lambda: env.create_input(AvroInputFormat("/x", avro)),
        HybridSource.builder(NumberSequenceSource(1, 2)).build,
    ):
        with pytest.raises(NotSupportedError, match="later release; "):
            attempt()


def test_file_sink_says_what_it_cannot():
    builder = FileSink.for_row_format("out", Encoder.simple_string_encoder())
    builder.with_rolling_policy(RollingPolicy.default_rolling_policy())
    builder.with_bucket_assigner(BucketAssigner.base_path_bucket_assigner())
    assert builder.build()._operator()[1]["bucket"] == ""
    with pytest.raises(TypeError, match="A RollingPolicy is needed"):
        builder.with_rolling_policy(3)
    with pytest.raises(TypeError, match="An Encoder is needed"):
        FileSink.for_row_format("out", "UTF-8")
    for limit in ("part_size", "rollover_interval", "inactivity_interval"):
        with pytest.raises(ValueError, match="must be at least 1, not 0"):
            RollingPolicy.default_rolling_policy(**{limit: 0})
    with pytest.raises(ValueError, match="The interval must be"):
        builder.with_bucket_check_interval(0)
    with pytest.raises(ValueError, match="the format is empty"):
        BucketAssigner.date_time_bucket_assigner("")
    with pytest.raises(ValueError, match="Unknown charset"):
        SimpleStringEncoder("no-such")
    with pytest.raises(ValueError):
        OutputFileConfig.builder().with_part_prefix("a/b").build()


def test_compaction_is_described():
    strategy = FileCompactStrategy.builder().set_size_threshold(10).set_num_compact_threads(2)
    assert strategy.build()._settings == {"checkpoints": -1, "size": 10, "threads": 2}
    assert FileCompactor.concat_file_compactor(b"|")._compactor == ("concat", b"|")
    with pytest.raises(ValueError, match="size"):
        strategy.set_size_threshold(0)
