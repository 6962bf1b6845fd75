"""Descriptors of state and their options, without a job."""

from __future__ import annotations

import pytest
from leat.common import Types
from leat.common.time import Duration, Time
from leat.datastream.functions import AggregateFunction, ReduceFunction
from leat.datastream.state import (
    AggregatingStateDescriptor,
    ListStateDescriptor,
    MapStateDescriptor,
    ReducingStateDescriptor,
    StateTtlConfig,
    ValueStateDescriptor,
)


def test_descriptors_know_their_names_and_types():
    assert ValueStateDescriptor("v", Types.INT()).get_name() == "v"
    assert ListStateDescriptor("l", Types.INT()).type_info == Types.LIST(Types.INT())
    made = MapStateDescriptor("m", Types.STRING(), Types.INT())
    assert made.type_info == Types.MAP(Types.STRING(), Types.INT())
    with pytest.raises(TypeError, match="a name is needed"):
        ValueStateDescriptor("", Types.INT())


def test_functions_of_descriptors():
    class Sum(AggregateFunction):
        def create_accumulator(self):
            return 0

        def add(self, value, accumulator):
            return accumulator + value

        def get_result(self, accumulator):
            return accumulator

        def merge(self, acc_a, acc_b):
            return acc_a + acc_b

    class Add(ReduceFunction):
        def reduce(self, value1, value2):
            return value1 + value2

    function, add = Sum(), Add()
    made = AggregatingStateDescriptor("a", function, Types.INT())
    assert made.get_agg_function() is function
    assert ReducingStateDescriptor("r", add, Types.INT()).get_reduce_function() is add
    assert ReducingStateDescriptor("r", max, Types.INT())._functions() == (max,)


def test_time_to_live_defaults():
    config = StateTtlConfig.new_builder(Time.days(1)).build()
    assert config.is_enabled()
    assert config.get_ttl() == Time.days(1)
    assert config.get_update_type() is StateTtlConfig.UpdateType.OnCreateAndWrite
    visibility = StateTtlConfig.StateVisibility.NeverReturnExpired
    assert config.get_state_visibility() is visibility
    characteristic = StateTtlConfig.TtlTimeCharacteristic.ProcessingTime
    assert config.get_ttl_time_characteristic() is characteristic
    cleanup = config.get_cleanup_strategies()
    assert cleanup.is_cleanup_in_background()
    assert not cleanup.in_full_snapshot()
    assert cleanup.get_incremental_cleanup_strategy().get_cleanup_size() == 5
    assert not cleanup.get_incremental_cleanup_strategy().run_cleanup_for_every_record()
    rocks = cleanup.get_rocksdb_compact_filter_cleanup_strategy()
    assert rocks.get_query_time_after_num_entries() == 1000
    assert rocks.get_periodic_compaction_time() == Duration.of_days(30)
    assert "ttl=86400000 ms>" in repr(config)


def test_a_time_to_live_is_a_time_above_zero():
    builder = StateTtlConfig.new_builder(Time.seconds(0.5))
    assert builder.build().get_ttl() == Time.milliseconds(500)
    for change in (StateTtlConfig.new_builder, builder.set_ttl):
        with pytest.raises(TypeError, match=r"the time to live: a Time is needed, .* not 5"):
            change(5)
        with pytest.raises(ValueError, match="TTL is expected to be positive, not 0 ms"):
            change(Time.milliseconds(0))


def test_time_to_live_options():
    builder = StateTtlConfig.new_builder(Time.seconds(1)).set_ttl(Time.seconds(2))
    builder = builder.update_ttl_on_read_and_write().return_expired_if_not_cleaned_up()
    builder = builder.use_processing_time().cleanup_full_snapshot().cleanup_incrementally(10, True)
    builder = builder.cleanup_in_rocksdb_compact_filter(9, Duration.of_hours(1))
    config = builder.disable_cleanup_in_background().build()
    assert config.get_ttl() == Time.seconds(2)
    assert config.get_update_type() is StateTtlConfig.UpdateType.OnReadAndWrite
    assert config.get_state_visibility().name == "ReturnExpiredIfNotCleanedUp"
    cleanup = config.get_cleanup_strategies()
    assert cleanup.in_full_snapshot()
    assert not cleanup.is_cleanup_in_background()
    assert cleanup.get_incremental_cleanup_strategy().get_cleanup_size() == 10
    assert cleanup.get_incremental_cleanup_strategy().run_cleanup_for_every_record()
    rocks = cleanup.get_rocksdb_compact_filter_cleanup_strategy()
    assert rocks.get_query_time_after_num_entries() == 9
    assert rocks.get_periodic_compaction_time() == Duration.of_hours(1)


def test_time_to_live_that_is_off():
    off = StateTtlConfig.UpdateType.Disabled
    builder = StateTtlConfig.new_builder(Time.seconds(1)).set_update_type(off)
    config = builder.never_return_expired().disable_cleanup_in_background().build()
    assert not config.is_enabled()
    assert config.get_cleanup_strategies().get_incremental_cleanup_strategy() is None
    assert config.get_cleanup_strategies().get_rocksdb_compact_filter_cleanup_strategy() is None
    ValueStateDescriptor("v", Types.INT()).enable_time_to_live(config)
