import asyncio
import concurrent.futures
import datetime

import pytest
from leat.common import (
    CompletableFuture,
    Duration,
    Encoder,
    JobID,
    JobStatus,
    RestartStrategies,
    SimpleStringSchema,
    WatermarkStrategy,
)
from leat.common.errors import LeatError, NotSupportedError
from leat.common.execution_config import _millis
from leat.common.job_execution_result import JobExecutionResult
from leat.common.job_status import _job_status
from leat.common.watermark_strategy import TimestampAssigner
from leat.datastream import MemorySize, SlotSharingGroup


def test_completable_future_wraps_its_result():
    inner = concurrent.futures.Future()
    future = CompletableFuture(inner, str)
    assert not future.done()
    assert str(future) == "CompletableFuture(pending)"
    future.set_result(3)
    assert future.result() == "3"
    assert future.exception() is None
    assert not future.cancelled()


def test_completable_future_can_be_awaited():
    inner = concurrent.futures.Future()
    inner.set_result(3)

    async def wait():
        return await CompletableFuture(inner)

    assert asyncio.run(wait()) == 3


def test_completable_future_fails_with_its_error():
    inner = concurrent.futures.Future()
    future = CompletableFuture(inner)
    future.set_exception(ValueError("odd"))
    assert isinstance(future.exception(), ValueError)
    with pytest.raises(ValueError):
        future.result()


def test_job_status():
    assert JobStatus.FINISHED.is_globally_terminal_state()
    assert not JobStatus.SUSPENDED.is_globally_terminal_state()
    assert JobStatus.SUSPENDED.is_terminal_state()
    assert not JobStatus.RUNNING.is_terminal_state()
    assert _job_status("cancelled") is JobStatus.CANCELED


def test_job_id_and_result():
    assert str(JobID("ab")) == "ab"
    assert JobID("ab") == JobID("ab")
    result = JobExecutionResult(("ab", {"runtime_ms": 7}, lambda: [{"subtask": 0}]))
    assert result.get_metrics() == [{"subtask": 0}]
    assert result.get_accumulator_result("x") is None
    assert "7 ms" in str(result)


def test_restart_strategies():
    fixed = RestartStrategies.fixed_delay_restart(3, datetime.timedelta(seconds=1))
    assert fixed.get_restart_attempts() == 3
    assert fixed.get_delay_between_attempts_interval() == datetime.timedelta(seconds=1)
    assert fixed == RestartStrategies.fixed_delay_restart(3, 1000)
    assert hash(fixed) == hash(RestartStrategies.fixed_delay_restart(3, 1000))
    assert fixed != RestartStrategies.no_restart()
    rate = RestartStrategies.failure_rate_restart(2, 60000, 10)
    assert rate.get_max_failure_rate() == 2
    assert "failure" in rate.get_description().lower()
    with pytest.raises(TypeError):
        RestartStrategies.fixed_delay_restart(3, "1 s")


def test_falling_back_brings_the_configured_strategy_back(env):
    key, attempts = "restart-strategy.type", "restart-strategy.fixed-delay.attempts"
    env._engine.set(attempts, "7")
    env.set_restart_strategy(RestartStrategies.fixed_delay_restart(3, 1000))
    env.set_restart_strategy(RestartStrategies.failure_rate_restart(3, 1000, 10))
    assert env._engine.get(attempts) == "7"
    env.set_restart_strategy(RestartStrategies.fall_back_restart())
    assert env._engine.get(key) is None
    assert env.get_restart_strategy() == RestartStrategies.fall_back_restart()
    env._engine.set(key, "exponential-delay")
    env.get_config().set_restart_strategy(RestartStrategies.no_restart())
    env.set_restart_strategy(RestartStrategies.fall_back_restart())
    assert env._engine.get(key) == "exponential-delay"
    env.set_restart_strategy(RestartStrategies.no_restart())
    env._engine.set(key, "fixed-delay")  # configured since then
    env.set_restart_strategy(RestartStrategies.fall_back_restart())
    assert env._engine.get(key) == "fixed-delay"


def test_restart_strategy_sets_keys(env):
    env.set_restart_strategy(RestartStrategies.fixed_delay_restart(3, 1000))
    assert env._engine.get("restart-strategy.fixed-delay.delay") == "1000 ms"
    assert env.get_restart_strategy().get_restart_attempts() == 3


def test_watermark_strategies():
    class Assigner(TimestampAssigner):
        def extract_timestamp(self, value, record_timestamp):
            return value

    assert WatermarkStrategy.no_watermarks()._is_none()
    strategy = WatermarkStrategy.for_monotonous_timestamps()
    assert not strategy._is_none()
    assert strategy.with_timestamp_assigner(Assigner()) is strategy
    idle = strategy.with_idleness(Duration.of_seconds(1))
    assert idle is not strategy
    assert idle._timestamp_assigner is strategy._timestamp_assigner
    with pytest.raises(TypeError):
        strategy.with_timestamp_assigner(lambda v, t: v)
    with pytest.raises(TypeError, match=r"for_bounded_out_of_orderness\(\): a Duration is needed"):
        WatermarkStrategy.for_bounded_out_of_orderness(5)
    with pytest.raises(TypeError, match=r"with_idleness\(\): a Duration is needed, .* not '5 s'"):
        strategy.with_idleness("5 s")
    with pytest.raises(ValueError, match="idleTimeout must be greater than zero, not 0 ms"):
        strategy.with_idleness(Duration.of_millis(0))
    with pytest.raises(ValueError, match="maxOutOfOrderness cannot be negative: -5 ms"):
        WatermarkStrategy.for_bounded_out_of_orderness(Duration.of_millis(-5))


@pytest.mark.parametrize(
    ("text", "millis"),
    [("200 ms", 200), ("1 min", 60000), ("2s", 2000), ("3", 3), (None, 9), ("1 d", 86400000)],
)
def test_durations_as_text(text, millis):
    assert _millis(text, 9) == millis


def test_schemas_and_encoders():
    assert Encoder.simple_string_encoder()._charset == "UTF-8"
    with pytest.raises(ValueError):
        SimpleStringSchema("no-such-charset")


def test_not_supported_is_one_of_ours_and_of_pythons():
    error = NotSupportedError("x is missing", "use y")
    assert isinstance(error, LeatError)
    assert isinstance(error, NotImplementedError)
    assert str(error) == "x is missing; use y"


def test_slot_sharing_groups_and_memory():
    group = SlotSharingGroup.builder("g").set_cpu_cores(1).set_task_heap_memory_mb(5)
    group = group.set_external_resource("gpu", 1).build()
    assert group.get_name() == "g"
    assert group.get_task_heap_memory() == MemorySize.of_mebi_bytes(5)
    assert group.get_managed_memory() is None
    assert group.get_external_resources() == {"gpu": 1.0}
    assert MemorySize(bytes_size=2048).get_kibi_bytes() == 2
    assert MemorySize(bytes_size=1) < MemorySize(bytes_size=2)
