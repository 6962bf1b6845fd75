"""`ExecutionConfig`: settings of a job that are set by methods, as PyFlink's
`pyflink.common.execution_config`.

Each method reads or writes one configuration key of the environment. What has no meaning without a
JVM (closure cleaner, Kryo, Avro) is remembered and does nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from leat.common.execution_mode import ExecutionMode
from leat.common.input_dependency_constraint import InputDependencyConstraint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from leat.common.restart_strategy import RestartStrategyConfiguration

__all__ = ["ExecutionConfig"]


class _Settings(Protocol):
    def get(self, key: str) -> str | None: ...

    def set(self, key: str, value: str | None) -> None: ...


class ExecutionConfig:
    """Settings of one environment; `env.get_config()` answers it. Setters answer this object.

    `j_execution_config` is the environment's settings: get and set of strings by key.
    """

    PARALLELISM_DEFAULT = -1
    PARALLELISM_UNKNOWN = -2

    def __init__(self, j_execution_config: _Settings) -> None:
        self._settings = j_execution_config
        self._kept: dict[str, Any] = {}
        self._job_parameters: dict[str, str] = {}
        self._restart: dict[str, tuple[str | None, str | None]] = {}  # by key: before, since then

    def enable_closure_cleaner(self) -> ExecutionConfig:
        """Remembered only: Python functions have no closures to clean."""
        return self._keep("closure_cleaner", True)

    def disable_closure_cleaner(self) -> ExecutionConfig:
        """Remembered only: Python functions have no closures to clean."""
        return self._keep("closure_cleaner", False)

    def is_closure_cleaner_enabled(self) -> bool:
        """True unless it was disabled."""
        return self._kept.get("closure_cleaner", True)

    def set_auto_watermark_interval(self, interval: int) -> ExecutionConfig:
        """Milliseconds between two periodic watermarks; 0 turns them off. 200 by default."""
        if interval < 0:
            raise ValueError(f"The watermark interval must not be negative: {interval}")
        return self._set("pipeline.auto-watermark-interval", f"{interval} ms")

    def get_auto_watermark_interval(self) -> int:
        """Milliseconds between two periodic watermarks."""
        return _millis(self._settings.get("pipeline.auto-watermark-interval"), 200)

    def set_latency_tracking_interval(self, interval: int) -> ExecutionConfig:
        """Remembered only: Leat sends no latency markers."""
        return self._keep("latency_tracking_interval", interval)

    def get_latency_tracking_interval(self) -> int:
        """Milliseconds; 0 by default, which is off."""
        return self._kept.get("latency_tracking_interval", 0)

    def get_parallelism(self) -> int:
        """The parallelism of operators that set none."""
        return int(self._settings.get("parallelism.default") or self.PARALLELISM_DEFAULT)

    def set_parallelism(self, parallelism: int) -> ExecutionConfig:
        """The parallelism of operators that set none. A ValueError unless it is 1 or more."""
        if parallelism == self.PARALLELISM_UNKNOWN:
            return self
        if not isinstance(parallelism, int) or isinstance(parallelism, bool):
            raise TypeError(f"Parallelism must be an int, not {parallelism!r}")
        if parallelism < 1 and parallelism != self.PARALLELISM_DEFAULT:
            raise ValueError(f"Parallelism must be at least 1, not {parallelism}")
        if parallelism == self.PARALLELISM_DEFAULT:
            import os

            parallelism = os.cpu_count() or 1
        return self._set("parallelism.default", str(parallelism))

    def get_max_parallelism(self) -> int:
        """The number of key groups; -1 when it was not set."""
        return int(self._settings.get("pipeline.max-parallelism") or -1)

    def set_max_parallelism(self, max_parallelism: int) -> ExecutionConfig:
        """The number of key groups, 1 to 32767. Fixed as long as state shall be restored."""
        if not isinstance(max_parallelism, int) or isinstance(max_parallelism, bool):
            raise TypeError(f"Maximum parallelism must be an int, not {max_parallelism!r}")
        if not 1 <= max_parallelism <= 32767:
            raise ValueError(f"Maximum parallelism must be 1 to 32767, not {max_parallelism}")
        return self._set("pipeline.max-parallelism", str(max_parallelism))

    def get_task_cancellation_interval(self) -> int:
        """Milliseconds between two attempts to interrupt a task; 30000 by default."""
        return self._kept.get("task_cancellation_interval", 30_000)

    def set_task_cancellation_interval(self, interval: int) -> ExecutionConfig:
        """Remembered only: Leat interrupts a cancelled task once."""
        return self._keep("task_cancellation_interval", interval)

    def get_task_cancellation_timeout(self) -> int:
        """Milliseconds that a cancelled task may take to end; 180000 by default, 0 is off."""
        return _millis(self._settings.get("task.cancellation.timeout"), 180_000)

    def set_task_cancellation_timeout(self, timeout: int) -> ExecutionConfig:
        """Milliseconds that a cancelled task may take to end; 0 is off."""
        if timeout < 0:
            raise ValueError(f"The cancellation timeout must not be negative: {timeout}")
        return self._set("task.cancellation.timeout", f"{timeout} ms")

    def enable_force_kryo(self) -> ExecutionConfig:
        """Remembered only: there is no Kryo."""
        return self._keep("force_kryo", True)

    def disable_force_kryo(self) -> ExecutionConfig:
        """Remembered only: there is no Kryo."""
        return self._keep("force_kryo", False)

    def is_force_kryo_enabled(self) -> bool:
        """False unless it was enabled."""
        return self._kept.get("force_kryo", False)

    def enable_generic_types(self) -> ExecutionConfig:
        """Remembered only: generic types are Java's."""
        return self._keep("generic_types_disabled", False)

    def disable_generic_types(self) -> ExecutionConfig:
        """Remembered only: generic types are Java's."""
        return self._keep("generic_types_disabled", True)

    def has_generic_types_disabled(self) -> bool:
        """False unless they were disabled."""
        return self._kept.get("generic_types_disabled", False)

    def enable_auto_generated_uids(self) -> ExecutionConfig:
        """Operators without `uid` get one from their place in the graph; the default."""
        return self._keep("auto_uids", True)

    def disable_auto_generated_uids(self) -> ExecutionConfig:
        """Remembered only: operators without `uid` still get one."""
        return self._keep("auto_uids", False)

    def has_auto_generated_uids_enabled(self) -> bool:
        """True unless they were disabled."""
        return self._kept.get("auto_uids", True)

    def enable_force_avro(self) -> ExecutionConfig:
        """Remembered only: records are not serialised by Avro."""
        return self._keep("force_avro", True)

    def disable_force_avro(self) -> ExecutionConfig:
        """Remembered only: records are not serialised by Avro."""
        return self._keep("force_avro", False)

    def is_force_avro_enabled(self) -> bool:
        """False unless it was enabled."""
        return self._kept.get("force_avro", False)

    def enable_object_reuse(self) -> ExecutionConfig:
        """Hand Python objects on by reference where a copy would be made otherwise."""
        return self._set("pipeline.object-reuse", "true")

    def disable_object_reuse(self) -> ExecutionConfig:
        """Copy mutable Python objects between operators that are not chained; the default."""
        return self._set("pipeline.object-reuse", "false")

    def is_object_reuse_enabled(self) -> bool:
        """False unless it was enabled."""
        return (self._settings.get("pipeline.object-reuse") or "false").lower() == "true"

    def get_global_job_parameters(self) -> dict[str, str]:
        """The parameters, as functions see them by `RuntimeContext.get_job_parameter`."""
        return dict(self._job_parameters)

    def set_global_job_parameters(
        self, global_job_parameters_dict: Mapping[str, Any]
    ) -> ExecutionConfig:
        """Parameters for all functions of the job; values become strings."""
        self._job_parameters = {str(k): str(v) for k, v in global_job_parameters_dict.items()}
        return self._set("pipeline.global-job-parameters", _map_text(self._job_parameters))

    def get_registered_kryo_types(self) -> list[str]:
        """Always empty: there is no Kryo."""
        return []

    def get_registered_pojo_types(self) -> list[str]:
        """Always empty: there are no Java objects."""
        return []

    def get_default_kryo_serializer_classes(self) -> dict[str, str]:
        """Always empty: there is no Kryo."""
        return {}

    def is_use_snapshot_compression(self) -> bool:
        """False unless it was set."""
        return self._kept.get("snapshot_compression", False)

    def set_use_snapshot_compression(self, use_snapshot_compression: bool) -> ExecutionConfig:
        """Remembered for checkpoints, which come with a later release."""
        return self._keep("snapshot_compression", use_snapshot_compression)

    # --- PyFlink 1.x: remembered only ------------------------------------------------------------

    def set_execution_mode(self, execution_mode: ExecutionMode) -> ExecutionConfig:
        """Remembered only: records go on as they come, as in Flink's streaming jobs."""
        return self._keep("execution_mode", execution_mode)

    def get_execution_mode(self) -> ExecutionMode:
        """What was set; PIPELINED by default."""
        return self._kept.get("execution_mode", ExecutionMode.PIPELINED)

    def set_default_input_dependency_constraint(
        self, input_dependency_constraint: InputDependencyConstraint
    ) -> ExecutionConfig:
        """Remembered only: all tasks of a job start together."""
        return self._keep("input_dependency_constraint", input_dependency_constraint)

    def get_default_input_dependency_constraint(self) -> InputDependencyConstraint:
        """What was set; ANY by default."""
        return self._kept.get("input_dependency_constraint", InputDependencyConstraint.ANY)

    def set_restart_strategy(
        self, restart_strategy_configuration: RestartStrategyConfiguration
    ) -> ExecutionConfig:
        """What happens to a job that failed. Sets `restart-strategy.*`.

        `RestartStrategies.fall_back_restart()` brings back what the configuration says.
        """
        for key, (before, since) in self._restart.items():
            if self._settings.get(key) == since:  # nobody has configured it meanwhile
                self._settings.set(key, before)
        self._restart.clear()
        for key, value in restart_strategy_configuration._settings.items():
            before = self._settings.get(key)
            self._set(key, value)
            self._restart[key] = before, self._settings.get(key)
        return self._keep("restart_strategy", restart_strategy_configuration)

    def get_restart_strategy(self) -> RestartStrategyConfiguration:
        """What was set; the configuration's by default."""
        from leat.common.restart_strategy import RestartStrategies

        return self._kept.get("restart_strategy") or RestartStrategies.fall_back_restart()

    def disable_auto_type_registration(self) -> ExecutionConfig:
        """Remembered only: types are registered nowhere."""
        return self._keep("auto_type_registration_disabled", True)

    def is_auto_type_registration_disabled(self) -> bool:
        """False unless it was disabled."""
        return self._kept.get("auto_type_registration_disabled", False)

    def add_default_kryo_serializer(
        self, type_class_name: str, serializer_class_name: str
    ) -> ExecutionConfig:
        """Does nothing: there is no Kryo."""
        return self

    def register_type_with_kryo_serializer(
        self, type_class_name: str, serializer_class_name: str
    ) -> ExecutionConfig:
        """Does nothing: there is no Kryo."""
        return self

    def register_kryo_type(self, type_class_name: str) -> ExecutionConfig:
        """Does nothing: there is no Kryo."""
        return self

    def register_pojo_type(self, type_class_name: str) -> ExecutionConfig:
        """Does nothing: there are no Java objects."""
        return self

    def get_registered_types_with_kryo_serializer_classes(self) -> dict[str, str]:
        """Always empty: there is no Kryo."""
        return {}

    def _keep(self, name: str, value: Any) -> ExecutionConfig:
        self._kept[name] = value
        return self

    def _set(self, key: str, value: str) -> ExecutionConfig:
        self._settings.set(key, value)
        return self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ExecutionConfig) and self._parts() == other._parts()

    def __hash__(self) -> int:
        return hash(str(self._parts()))

    def _parts(self) -> tuple[Any, ...]:
        keys = (
            "pipeline.auto-watermark-interval",
            "parallelism.default",
            "pipeline.max-parallelism",
            "task.cancellation.timeout",
            "pipeline.object-reuse",
        )
        return (*(self._settings.get(k) for k in keys), self._kept, self._job_parameters)


_UNITS = {"ns": 1e-6, "us": 1e-3, "ms": 1, "s": 1e3, "sec": 1e3, "min": 6e4, "m": 6e4, "h": 3.6e6}
_UNITS |= {"d": 8.64e7, "millis": 1, "milli": 1, "second": 1e3, "seconds": 1e3, "minute": 6e4}
_UNITS |= {"minutes": 6e4, "hour": 3.6e6, "hours": 3.6e6, "day": 8.64e7, "days": 8.64e7, "": 1}


def _millis(text: str | None, default: int) -> int:
    """The milliseconds that a duration such as `1 min` stands for; a bare number is ms."""
    if not text:
        return default
    digits = text.strip().rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ ")
    unit = text.strip()[len(digits) :].strip().lower()
    if unit not in _UNITS:
        raise ValueError(f"{text!r} is no duration such as '200 ms'")
    return int(int(digits) * _UNITS[unit])


def _map_text(entries: Mapping[str, str]) -> str:
    """`k1:v1,k2:v2`, Flink's form of a map; quoted where that would be ambiguous."""
    return ",".join(f"{_map_item(k)}:{_map_item(v)}" for k, v in entries.items())


def _map_item(text: str) -> str:
    if text and not any(c in text for c in ",:;'\"") and text == text.strip():
        return text
    return "'" + text.replace("'", "''") + "'"
