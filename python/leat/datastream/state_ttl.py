"""`StateTtlConfig`: how long keyed state lives, as in PyFlink's `pyflink.datastream.state`."""

from __future__ import annotations

from abc import ABC
from enum import Enum
from typing import Any

from leat.common.time import Duration, Time, span_millis

__all__ = ["StateTtlConfig"]


def _lifetime(ttl: Time | Duration) -> Time:
    millis = span_millis(ttl, "the time to live", Time)
    if millis <= 0:
        raise ValueError(f"TTL is expected to be positive, not {millis} ms")
    return Time.milliseconds(millis)


class StateTtlConfig:
    """Made by `StateTtlConfig.new_builder(ttl)...build()`. The time is the machine's."""

    class UpdateType(Enum):
        """What prolongs the life of a value."""

        Disabled = 0
        OnCreateAndWrite = 1
        OnReadAndWrite = 2

    class StateVisibility(Enum):
        """Whether an expired value that is still there is shown."""

        ReturnExpiredIfNotCleanedUp = 0
        NeverReturnExpired = 1

    class TtlTimeCharacteristic(Enum):
        """Which time counts."""

        ProcessingTime = 0

    def __init__(
        self,
        update_type: UpdateType,
        state_visibility: StateVisibility,
        ttl_time_characteristic: TtlTimeCharacteristic,
        ttl: Time,
        cleanup_strategies: StateTtlConfig.CleanupStrategies,
    ) -> None:
        self._update_type = update_type
        self._state_visibility = state_visibility
        self._ttl_time_characteristic = ttl_time_characteristic
        self._ttl = ttl
        self._cleanup_strategies = cleanup_strategies

    @staticmethod
    def new_builder(ttl: Time) -> StateTtlConfig.Builder:
        """A builder with PyFlink's defaults."""
        return StateTtlConfig.Builder(ttl)

    def get_update_type(self) -> StateTtlConfig.UpdateType:
        """What prolongs the life of a value."""
        return self._update_type

    def get_state_visibility(self) -> StateTtlConfig.StateVisibility:
        """Whether expired values are shown."""
        return self._state_visibility

    def get_ttl(self) -> Time:
        """How long a value lives."""
        return self._ttl

    def get_ttl_time_characteristic(self) -> StateTtlConfig.TtlTimeCharacteristic:
        """Which time counts."""
        return self._ttl_time_characteristic

    def is_enabled(self) -> bool:
        """Whether values expire at all."""
        return self._update_type is not StateTtlConfig.UpdateType.Disabled

    def get_cleanup_strategies(self) -> StateTtlConfig.CleanupStrategies:
        """When expired values are dropped."""
        return self._cleanup_strategies

    def __repr__(self) -> str:
        return (
            f"StateTtlConfig<update_type={self._update_type},"
            f" state_visibility={self._state_visibility},"
            f"ttl_time_characteristic ={self._ttl_time_characteristic},"
            f"ttl={self._ttl}>"
        )

    class Builder:
        """Collects the options; every setter answers the builder."""

        def __init__(self, ttl: Time) -> None:
            self._ttl = _lifetime(ttl)
            self._update_type = StateTtlConfig.UpdateType.OnCreateAndWrite
            self._state_visibility = StateTtlConfig.StateVisibility.NeverReturnExpired
            self._ttl_time_characteristic = StateTtlConfig.TtlTimeCharacteristic.ProcessingTime
            self._is_cleanup_in_background = True
            self._strategies: dict[Any, Any] = {}

        def set_update_type(self, update_type: StateTtlConfig.UpdateType) -> StateTtlConfig.Builder:
            """What prolongs the life of a value."""
            self._update_type = update_type
            return self

        def update_ttl_on_create_and_write(self) -> StateTtlConfig.Builder:
            """Writing does (the default)."""
            return self.set_update_type(StateTtlConfig.UpdateType.OnCreateAndWrite)

        def update_ttl_on_read_and_write(self) -> StateTtlConfig.Builder:
            """Reading does, too."""
            return self.set_update_type(StateTtlConfig.UpdateType.OnReadAndWrite)

        def set_state_visibility(
            self, state_visibility: StateTtlConfig.StateVisibility
        ) -> StateTtlConfig.Builder:
            """Whether expired values are shown."""
            self._state_visibility = state_visibility
            return self

        def return_expired_if_not_cleaned_up(self) -> StateTtlConfig.Builder:
            """They are, as long as they are there."""
            return self.set_state_visibility(
                StateTtlConfig.StateVisibility.ReturnExpiredIfNotCleanedUp
            )

        def never_return_expired(self) -> StateTtlConfig.Builder:
            """They are not (the default)."""
            return self.set_state_visibility(StateTtlConfig.StateVisibility.NeverReturnExpired)

        def set_ttl_time_characteristic(
            self, ttl_time_characteristic: StateTtlConfig.TtlTimeCharacteristic
        ) -> StateTtlConfig.Builder:
            """Which time counts."""
            self._ttl_time_characteristic = ttl_time_characteristic
            return self

        def use_processing_time(self) -> StateTtlConfig.Builder:
            """The machine's (the default)."""
            return self.set_ttl_time_characteristic(
                StateTtlConfig.TtlTimeCharacteristic.ProcessingTime
            )

        def cleanup_full_snapshot(self) -> StateTtlConfig.Builder:
            """Drop expired values from snapshots."""
            strategies = StateTtlConfig.CleanupStrategies
            return self._strategy("FULL_STATE_SCAN_SNAPSHOT", strategies.EMPTY_STRATEGY)

        def cleanup_incrementally(
            self, cleanup_size: int, run_cleanup_for_every_record: bool
        ) -> StateTtlConfig.Builder:
            """Look at some values at each access, or at each record."""
            strategies = StateTtlConfig.CleanupStrategies
            strategy = strategies.IncrementalCleanupStrategy(
                cleanup_size, run_cleanup_for_every_record
            )
            return self._strategy("INCREMENTAL_CLEANUP", strategy)

        def cleanup_in_rocksdb_compact_filter(
            self,
            query_time_after_num_entries: int,
            periodic_compaction_time: Duration | None = None,
        ) -> StateTtlConfig.Builder:
            """For a store that Leat does not have; accepted."""
            strategies = StateTtlConfig.CleanupStrategies
            strategy = strategies.RocksdbCompactFilterCleanupStrategy(
                query_time_after_num_entries, periodic_compaction_time
            )
            return self._strategy("ROCKSDB_COMPACTION_FILTER", strategy)

        def disable_cleanup_in_background(self) -> StateTtlConfig.Builder:
            """Drop expired values only where they are met."""
            self._is_cleanup_in_background = False
            return self

        def set_ttl(self, ttl: Time) -> StateTtlConfig.Builder:
            """How long a value lives: a Time above 0, else a ValueError."""
            self._ttl = _lifetime(ttl)
            return self

        def build(self) -> StateTtlConfig:
            """The configuration."""
            return StateTtlConfig(
                self._update_type,
                self._state_visibility,
                self._ttl_time_characteristic,
                self._ttl,
                StateTtlConfig.CleanupStrategies(self._strategies, self._is_cleanup_in_background),
            )

        def _strategy(self, name: str, strategy: Any) -> StateTtlConfig.Builder:
            self._strategies[StateTtlConfig.CleanupStrategies.Strategies[name]] = strategy
            return self

    class CleanupStrategies:
        """When expired values are dropped, besides when they are met."""

        class Strategies(Enum):
            """Their names."""

            FULL_STATE_SCAN_SNAPSHOT = 0
            INCREMENTAL_CLEANUP = 1
            ROCKSDB_COMPACTION_FILTER = 2

        class CleanupStrategy(ABC):  # noqa: B024 - PyFlink's base has no methods either
            """Base of the strategies."""

        class EmptyCleanupStrategy(CleanupStrategy):
            """One without options."""

        class IncrementalCleanupStrategy(CleanupStrategy):
            """Some values at each access."""

            def __init__(self, cleanup_size: int, run_cleanup_for_every_record: bool) -> None:
                self._cleanup_size = cleanup_size
                self._run_cleanup_for_every_record = run_cleanup_for_every_record

            def get_cleanup_size(self) -> int:
                """How many."""
                return self._cleanup_size

            def run_cleanup_for_every_record(self) -> bool:
                """Whether every record counts as an access."""
                return self._run_cleanup_for_every_record

        class RocksdbCompactFilterCleanupStrategy(CleanupStrategy):
            """For a store that Leat does not have."""

            def __init__(
                self,
                query_time_after_num_entries: int,
                periodic_compaction_time: Duration | None = None,
            ) -> None:
                self._query_time_after_num_entries = query_time_after_num_entries
                self._periodic_compaction_time = periodic_compaction_time or Duration.of_days(30)

            def get_query_time_after_num_entries(self) -> int:
                """After how many entries the time is read."""
                return self._query_time_after_num_entries

            def get_periodic_compaction_time(self) -> Duration:
                """How old a file may get; 30 days by default."""
                return self._periodic_compaction_time

        EMPTY_STRATEGY = EmptyCleanupStrategy()

        def __init__(
            self, strategies: dict[Strategies, CleanupStrategy], is_cleanup_in_background: bool
        ) -> None:
            self._strategies = strategies
            self._is_cleanup_in_background = is_cleanup_in_background

        def is_cleanup_in_background(self) -> bool:
            """Whether anything is dropped in the background."""
            return self._is_cleanup_in_background

        def in_full_snapshot(self) -> bool:
            """Whether snapshots drop expired values."""
            wanted = StateTtlConfig.CleanupStrategies.Strategies.FULL_STATE_SCAN_SNAPSHOT
            return wanted in self._strategies

        def get_incremental_cleanup_strategy(
            self,
        ) -> StateTtlConfig.CleanupStrategies.IncrementalCleanupStrategy | None:
            """The incremental one; 5 values per access by default, None without background."""
            strategies = StateTtlConfig.CleanupStrategies
            usual = strategies.IncrementalCleanupStrategy(5, False)
            return self._get("INCREMENTAL_CLEANUP", usual)

        def get_rocksdb_compact_filter_cleanup_strategy(
            self,
        ) -> StateTtlConfig.CleanupStrategies.RocksdbCompactFilterCleanupStrategy | None:
            """The one for RocksDB; 1000 entries by default, None without background."""
            strategies = StateTtlConfig.CleanupStrategies
            usual = strategies.RocksdbCompactFilterCleanupStrategy(1000)
            return self._get("ROCKSDB_COMPACTION_FILTER", usual)

        def _get(self, name: str, usual: Any) -> Any:
            wanted = StateTtlConfig.CleanupStrategies.Strategies[name]
            return self._strategies.get(wanted, usual if self._is_cleanup_in_background else None)
