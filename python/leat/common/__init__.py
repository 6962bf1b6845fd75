"""What the DataStream API and the Table API share, with the names of `pyflink.common`:
types and rows, time, configuration, jobs, serialization schemas, watermark strategies.
"""

from leat.common.completable_future import CompletableFuture
from leat.common.config_options import ConfigOption, ConfigOptions
from leat.common.configuration import Configuration
from leat.common.execution_config import ExecutionConfig
from leat.common.execution_mode import ExecutionMode
from leat.common.input_dependency_constraint import InputDependencyConstraint
from leat.common.job_client import JobClient
from leat.common.job_execution_result import JobExecutionResult
from leat.common.job_id import JobID
from leat.common.job_status import JobStatus
from leat.common.restart_strategy import RestartStrategies, RestartStrategyConfiguration
from leat.common.serialization import (
    ByteArraySchema,
    DeserializationSchema,
    Encoder,
    SerializationSchema,
    SimpleStringSchema,
)
from leat.common.serializer import TypeSerializer
from leat.common.time import Duration, Instant, Time
from leat.common.typeinfo import TypeInformation, Types
from leat.common.types import Row, RowKind
from leat.common.watermark_strategy import (
    AssignerWithPeriodicWatermarksWrapper,
    WatermarkStrategy,
)

__all__ = [
    "AssignerWithPeriodicWatermarksWrapper",
    "ByteArraySchema",
    "CompletableFuture",
    "ConfigOption",
    "ConfigOptions",
    "Configuration",
    "DeserializationSchema",
    "Duration",
    "Encoder",
    "ExecutionConfig",
    "ExecutionMode",
    "InputDependencyConstraint",
    "Instant",
    "JobClient",
    "JobExecutionResult",
    "JobID",
    "JobStatus",
    "RestartStrategies",
    "RestartStrategyConfiguration",
    "Row",
    "RowKind",
    "SerializationSchema",
    "SimpleStringSchema",
    "Time",
    "TypeInformation",
    "TypeSerializer",
    "Types",
    "WatermarkStrategy",
]
