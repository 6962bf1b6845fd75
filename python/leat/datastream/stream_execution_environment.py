"""`StreamExecutionEnvironment`: where a job is built and executed, as PyFlink's
`pyflink.datastream.stream_execution_environment`.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NoReturn

from leat import jobs, settings
from leat.common.execution_config import ExecutionConfig, _millis
from leat.common.job_client import JobClient
from leat.common.job_execution_result import JobExecutionResult
from leat.common.typeinfo import RowTypeInfo, TypeInformation
from leat.datastream.checkpoint_config import CheckpointConfig
from leat.datastream.checkpointing_mode import CheckpointingMode
from leat.datastream.execution_mode import RuntimeExecutionMode
from leat.datastream.functions import SourceFunction
from leat.datastream.node import DEFAULT_PARALLELISM, Node, shipped, type_text
from leat.datastream.plain_stream import DataStream, checked_strategy, later
from leat.datastream.stream_sink import positive
from leat.datastream.time_characteristic import TimeCharacteristic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from leat._leat import Env, Job
    from leat.common.configuration import Configuration
    from leat.common.io import InputFormat
    from leat.common.watermark_strategy import WatermarkStrategy
    from leat.datastream.connectors.base import Source
    from leat.datastream.slot_sharing_group import SlotSharingGroup
    from leat.datastream.state_backend import StateBackend

__all__ = ["StreamExecutionEnvironment"]

_DEFAULT_JOB_NAME = "Flink Streaming Job"


class PickleSerializer:
    """PyFlink's default for values without a type; here it only keeps the signature."""


class StreamExecutionEnvironment:
    """Builds and executes jobs in this process. Made by `get_execution_environment()`.

    `j_stream_execution_environment` is the library's environment.
    """

    _default_local_parallelism: int | None = None

    def __init__(
        self,
        j_stream_execution_environment: Env,
        serializer: PickleSerializer = PickleSerializer(),  # noqa: B008 - PyFlink's signature
    ) -> None:
        self._engine = j_stream_execution_environment
        self._config = ExecutionConfig(j_stream_execution_environment)
        self._additions: list[str] = []
        self._groups: dict[str, SlotSharingGroup] = {}
        self._checkpoints = CheckpointConfig(j_stream_execution_environment)
        self._state_backend: StateBackend | None = None
        self._time_characteristic = TimeCharacteristic.EventTime

    @staticmethod
    def get_execution_environment(
        configuration: Configuration | None = None,
    ) -> StreamExecutionEnvironment:
        """A new environment.

        Its settings are those of the settings file, then `-D`, then `configuration`. A
        ConfigurationError (a ValueError) for a wrong one.
        """
        from leat import _leat, logs

        logs.attach()
        env = StreamExecutionEnvironment(_leat.Env({}))
        parallelism = StreamExecutionEnvironment._default_local_parallelism
        if parallelism is not None:
            env._engine.set("parallelism.default", str(parallelism))
        settings.apply(env._engine)
        if configuration is not None:
            env.configure(configuration)
        return env

    # --- Settings -------------------------------------------------------------------------------

    def get_config(self) -> ExecutionConfig:
        """The settings that have methods."""
        return self._config

    def configure(self, configuration: Configuration) -> None:
        """Take over all settings of a Configuration; the others stay. ConfigurationError."""
        from leat.common.errors import ConfigurationError

        for key, value in configuration.to_dict().items():
            try:
                self._engine.set(key, value)
            except ValueError as e:
                raise ConfigurationError(f"leat: {e}") from None

    def set_parallelism(self, parallelism: int) -> StreamExecutionEnvironment:
        """The parallelism of operators that set none. Answers this environment."""
        self._config.set_parallelism(parallelism)
        return self

    def get_parallelism(self) -> int:
        """The parallelism of operators that set none; the number of cores by default."""
        return self._config.get_parallelism()

    def set_max_parallelism(self, max_parallelism: int) -> StreamExecutionEnvironment:
        """The number of key groups, 1 to 32767. Answers this environment."""
        self._config.set_max_parallelism(max_parallelism)
        return self

    def get_max_parallelism(self) -> int:
        """The number of key groups."""
        return self._config.get_max_parallelism()

    def set_default_local_parallelism(self, parallelism: int) -> None:
        """The parallelism that environments made from now on start with."""
        StreamExecutionEnvironment._default_local_parallelism = positive("parallelism", parallelism)

    def get_default_local_parallelism(self) -> int:
        """The parallelism that new environments start with."""
        import os

        return StreamExecutionEnvironment._default_local_parallelism or os.cpu_count() or 1

    def register_slot_sharing_group(
        self, slot_sharing_group: SlotSharingGroup
    ) -> StreamExecutionEnvironment:
        """Remember a group's needs. Answers this environment."""
        self._groups[slot_sharing_group.get_name()] = slot_sharing_group
        return self

    def set_runtime_mode(self, execution_mode: RuntimeExecutionMode) -> StreamExecutionEnvironment:
        """STREAMING, BATCH (see docs/batch.md), or AUTOMATIC: BATCH if all sources are bounded.

        Without a call it is the configuration's `execution.runtime-mode`, STREAMING by default.
        Answers this environment.
        """
        if not isinstance(execution_mode, RuntimeExecutionMode):
            raise TypeError(f"A RuntimeExecutionMode is needed, not {execution_mode!r}")
        self._engine.set("execution.runtime-mode", execution_mode.name)
        return self

    def set_buffer_timeout(self, timeout_millis: int) -> StreamExecutionEnvironment:
        """How long records may be held back for a larger batch: 0 not at all, -1 no limit."""
        if timeout_millis < -1:
            raise ValueError(f"The buffer timeout is -1 or more, not {timeout_millis}")
        self._engine.set("execution.buffer-timeout.enabled", str(timeout_millis >= 0).lower())
        if timeout_millis >= 0:
            self._engine.set("execution.buffer-timeout.interval", f"{timeout_millis} ms")
        return self

    def get_buffer_timeout(self) -> int:
        """Milliseconds; 100 by default, -1 without a limit."""
        if (self._engine.get("execution.buffer-timeout.enabled") or "true").lower() == "false":
            return -1
        return _millis(self._engine.get("execution.buffer-timeout.interval"), 100)

    def disable_operator_chaining(self) -> StreamExecutionEnvironment:
        """Run every operator in a task of its own. Answers this environment."""
        self._engine.set("pipeline.operator-chaining.enabled", "false")
        return self

    def is_chaining_enabled(self) -> bool:
        """True unless it was disabled."""
        return (self._engine.get("pipeline.operator-chaining.enabled") or "true").lower() == "true"

    def is_chaining_of_operators_with_different_max_parallelism_enabled(self) -> bool:
        """True: the number of key groups does not keep operators apart."""
        return True

    def set_restart_strategy(self, restart_strategy_configuration: Any) -> None:
        """What happens to a job that failed; as PyFlink 1.x. Sets `restart-strategy.*`.

        `RestartStrategies.fall_back_restart()` brings back what the configuration says.
        """
        self._config.set_restart_strategy(restart_strategy_configuration)

    def get_restart_strategy(self) -> Any:
        """What was set by `set_restart_strategy`; as PyFlink 1.x."""
        return self._config.get_restart_strategy()

    # --- Checkpoints ------------------------------------------------------------

    def enable_checkpointing(
        self, interval: int, mode: CheckpointingMode | None = None
    ) -> StreamExecutionEnvironment:
        """Make a checkpoint every `interval` milliseconds, at least 10. Answers this environment.

        A job that fails is then started again from the last one (`restart-strategy.type`). They
        outlive the process in `execution.checkpointing.dir`; see `docs/checkpoints.md`.
        """
        if mode is not None and not isinstance(mode, CheckpointingMode):
            raise TypeError(f"A CheckpointingMode is needed, not {mode!r}")
        self._checkpoints.set_checkpoint_interval(interval)
        if mode is not None:
            self._checkpoints.set_checkpointing_mode(mode)
        return self

    def get_checkpoint_config(self) -> CheckpointConfig:
        """The settings of checkpoints."""
        return self._checkpoints

    def get_checkpoint_interval(self) -> int:
        """Milliseconds between two checkpoints; -1 when they are off."""
        return self._checkpoints.get_checkpoint_interval()

    def get_checkpointing_mode(self) -> CheckpointingMode:
        """What checkpoints promise; EXACTLY_ONCE by default."""
        return self._checkpoints.get_checkpointing_mode()

    def get_checkpointing_consistency_mode(self) -> CheckpointingMode:
        """What checkpoints promise; EXACTLY_ONCE by default."""
        return self._checkpoints.get_checkpointing_mode()

    def is_unaligned_checkpoints_enabled(self) -> bool:
        """Whether barriers may overtake records; they may not, by default."""
        return self._checkpoints.is_unaligned_checkpoints_enabled()

    def is_force_unaligned_checkpoints(self) -> bool:
        """False unless it was set."""
        return self._checkpoints.is_force_unaligned_checkpoints()

    def enable_changelog_state_backend(self, enabled: bool) -> StreamExecutionEnvironment:
        """Only False: Leat has no changelog."""
        if enabled:
            later("enable_changelog_state_backend(): state backends come", "leave the call out")
        return self

    def is_changelog_state_backend_enabled(self) -> bool | None:
        """None: it was never set."""
        return None

    def set_default_savepoint_directory(self, directory: str) -> StreamExecutionEnvironment:
        """The folder for savepoints that are not told another. Answers this environment."""
        self._engine.set("execution.checkpointing.savepoint-dir", str(directory))
        return self

    def get_default_savepoint_directory(self) -> str | None:
        """The folder for savepoints; None when it was not set."""
        return self._engine.get("execution.checkpointing.savepoint-dir")

    # --- PyFlink 1.x ----------------------------------------------------------------------------

    def set_state_backend(self, state_backend: StateBackend) -> StreamExecutionEnvironment:
        """Where keyed state is kept: in memory, whatever is asked for. Answers this environment."""
        from leat.datastream.state_backend import StateBackend

        if not isinstance(state_backend, StateBackend):
            raise TypeError(f"A StateBackend is needed, not {state_backend!r}")
        self._engine.set("state.backend.type", str(state_backend._type))
        self._state_backend = state_backend
        return self

    def get_state_backend(self) -> StateBackend | None:
        """What was set by `set_state_backend`; None by default."""
        return self._state_backend

    def set_stream_time_characteristic(self, characteristic: TimeCharacteristic) -> None:
        """Remembered only: windows and timers say themselves what time they go by."""
        if not isinstance(characteristic, TimeCharacteristic):
            raise TypeError(f"A TimeCharacteristic is needed, not {characteristic!r}")
        self._time_characteristic = characteristic

    def get_stream_time_characteristic(self) -> TimeCharacteristic:
        """What was set; EventTime by default."""
        return self._time_characteristic

    def add_default_kryo_serializer(self, type_class_name: str, serializer_class_name: str) -> None:
        """Accepted and reported: Leat runs no Java."""
        _no_java("add_default_kryo_serializer", (type_class_name, serializer_class_name))

    def register_type_with_kryo_serializer(
        self, type_class_name: str, serializer_class_name: str
    ) -> None:
        """Accepted and reported: Leat runs no Java."""
        _no_java("register_type_with_kryo_serializer", (type_class_name, serializer_class_name))

    def register_type(self, type_class_name: str) -> None:
        """Accepted and reported: Leat runs no Java."""
        _no_java("register_type", (type_class_name,))

    # --- What the program's Python needs --------------------------------------------------------

    def set_python_executable(self, python_exec: str) -> None:
        """The Python that worker processes run."""
        self._engine.set("python.executable", python_exec)

    def add_python_file(self, file_path: str) -> None:
        """A module, package folder or zip file that functions import from."""
        self._append("python.files", file_path, ",")

    def set_python_requirements(
        self, requirements_file_path: str, requirements_cache_dir: str | None = None
    ) -> None:
        """What pip shall install for functions."""
        parts = [requirements_file_path, requirements_cache_dir]
        self._engine.set("python.requirements", "#".join(p for p in parts if p))

    def add_python_archive(self, archive_path: str, target_dir: str | None = None) -> None:
        """An archive that is unpacked where functions run."""
        parts = [archive_path, target_dir]
        self._append("python.archives", "#".join(p for p in parts if p), ",")

    def add_jars(self, *jars_path: str) -> None:
        """Accepted and reported: Leat runs no Java."""
        _no_java("add_jars", jars_path)

    def add_classpaths(self, *classpaths: str) -> None:
        """Accepted and reported: Leat runs no Java."""
        _no_java("add_classpaths", classpaths)

    def register_cached_file(self, file_path: str, name: str, executable: bool = False) -> NoReturn:
        """A NotSupportedError: everything runs on this machine."""
        from leat.common.errors import NotSupportedError

        raise NotSupportedError(
            "register_cached_file(): Leat runs on one machine and ships no files",
            "open the file by its path in the function's open()",
        )

    def _append(self, key: str, value: str, separator: str) -> None:
        before = self._engine.get(key)
        self._engine.set(key, f"{before}{separator}{value}" if before else value)

    # --- Sources --------------------------------------------------------------------------------

    def from_collection(
        self, collection: Iterable[Any], type_info: TypeInformation | None = None
    ) -> DataStream:
        """The values of a collection, by one subtask.

        With a type values are converted to it (a Row type takes tuples, too); a TypeError names
        the item that does not fit. `type_info` may be a list of types for a Row.
        """
        from leat import _leat

        items = list(collection)
        wanted = RowTypeInfo(type_info) if isinstance(type_info, list) else type_info
        params: dict[str, object] = {"items": _leat.encode(items, type_text(wanted))}
        return self._source("collection", params, "Collection Source", wanted, 1)

    def from_source(
        self,
        source: Source,
        watermark_strategy: WatermarkStrategy,
        source_name: str,
        type_info: TypeInformation | None = None,
    ) -> DataStream:
        """The values of a source of `leat.datastream.connectors`.

        None of these sources gives its values an event time, so the strategy has nothing to tell,
        and a timestamp assigner in it is ignored, as in PyFlink: use
        `assign_timestamps_and_watermarks`. The type is the source's unless it is given.
        """
        from leat.datastream.connectors.base import Source

        if not isinstance(source, Source):
            raise TypeError(f"from_source needs a Source such as FileSource, not {source!r}")
        strategy = checked_strategy(watermark_strategy, "from_source()")
        if strategy._timestamp_assigner is not None:
            _ignored_assigner(source_name)
        operator, params, own_type = source._operator()
        stream = self._source(operator, params, source_name, type_info or own_type)
        if not source._bounded:
            stream._node.option("boundedness", "unbounded")
        return stream

    def add_source(
        self,
        source_func: SourceFunction | Callable[[], Iterable[Any]],
        source_name: str = "Custom Source",
        type_info: TypeInformation | None = None,
        *,
        bounded: bool = False,
    ) -> DataStream:
        """The values of a SourceFunction written in Python (Leat's addition), by one subtask.

        Or of the iterable that a callable without arguments answers. `bounded` promises that it
        ends by itself, which BATCH execution asks of every source.
        """
        wanted = "The input must be a SourceFunction or a callable that answers an iterable"
        function = shipped(source_func, SourceFunction, source_name, wanted)
        self._note_addition(f"add_source({function[2]}), a source in Python")
        stream = self._source("function_source", {"function": function}, source_name, type_info, 1)
        if bounded:
            stream._node.option("boundedness", "bounded")
        return stream

    def read_text_file(self, file_path: str, charset_name: str = "UTF-8") -> DataStream:
        """The lines of a file, or of all files of a folder and those below it."""
        from leat.datastream.connectors.file_system import text_source

        operator, params, type_info = text_source([file_path], charset_name)
        return self._source(operator, params, "Text File Source", type_info)

    def create_input(
        self, input_format: InputFormat, type_info: TypeInformation | None = None
    ) -> NoReturn:
        """A NotSupportedError: input formats come with a later release."""
        later("create_input(): input formats come", "use read_text_file() and a map")

    def _source(
        self,
        operator: str,
        params: dict[str, object],
        name: str,
        type_info: TypeInformation | None,
        parallelism: int = DEFAULT_PARALLELISM,
    ) -> DataStream:
        handle = self._engine.add(operator, [], params, name, type_text(type_info), parallelism)
        return DataStream(Node(self, handle, type_info, name))

    # --- Execution ------------------------------------------------------------------------------

    def execute(self, job_name: str | None = None) -> JobExecutionResult:
        """Run the job that was built, and wait for its end.

        The next execution runs what is added from now on, and all that this reads. A job that
        fails raises JobError, with the user's exception as its `__cause__`; Ctrl-C cancels the job
        and raises KeyboardInterrupt. `job_name` is the name of the script by default.
        """
        with jobs.Starting() as new:
            client = JobClient(self._start(new, job_name))
            result: JobExecutionResult = client.get_job_execution_result().result()
        return result

    def execute_async(self, job_name: str = _DEFAULT_JOB_NAME) -> JobClient:
        """Start the job that was built and answer at once."""
        with jobs.Starting() as new:
            return JobClient(self._start(new, job_name))

    def get_execution_plan(self) -> str:
        """The job that was built so far as JSON, in the form of Flink's plans."""
        jobs.idle_sinks = 0
        return self._engine.plan()

    def close(self) -> None:
        """Forget what was built. Jobs that run go on."""
        jobs.idle_sinks = 0
        self._engine.clear()

    def _start(self, new: list[Job], job_name: str | None) -> Job:
        if settings.plan_only:
            raise settings.PlanReady(self._engine.plan(), self._additions)
        from leat.shipping import main_classes_blob

        jobs.prepare_streams()
        jobs.idle_sinks = 0
        try:
            return jobs.start(new, self._engine.execute, _name(job_name), main_classes_blob())
        finally:
            self._additions = []

    def _note_addition(self, what: str) -> None:
        """Remember something that a Flink cluster would refuse, for `leat plan`."""
        self._additions.append(what)


def _name(job_name: str | None) -> str:
    """The job's name: as given, as the launcher says, or the script's."""
    if job_name is not None and job_name != _DEFAULT_JOB_NAME:
        return job_name
    if settings.job_name:
        return settings.job_name
    path = getattr(sys.modules.get("__main__"), "__file__", None)
    if not path:
        return _DEFAULT_JOB_NAME
    name = path.replace("\\", "/").rsplit("/", 1)[-1]
    return name[:-3] if name.endswith(".py") else name


def _ignored_assigner(source_name: str) -> None:
    import logging

    logging.getLogger("leat").warning(
        "leat: from_source(%r): the timestamp assigner is ignored; use "
        "stream.assign_timestamps_and_watermarks(strategy)",
        source_name,
    )


def _no_java(method: str, given: tuple[str, ...]) -> None:
    import logging

    logging.getLogger("leat").warning(
        "leat: %s(%s): ignored, Leat runs no Java; its own connectors need no jars",
        method,
        ", ".join(map(repr, given)),
    )
