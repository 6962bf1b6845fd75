"""`RestartStrategies`: what happens to a job that failed, as PyFlink 1.x's
`pyflink.common.restart_strategy`. PyFlink 2.x uses the configuration keys `restart-strategy.*`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import timedelta

__all__ = ["RestartStrategies", "RestartStrategyConfiguration"]


class RestartStrategyConfiguration:
    """A strategy. `j_restart_strategy_configuration` is its settings by configuration key."""

    def __init__(self, j_restart_strategy_configuration: dict[str, str]) -> None:
        self._settings = j_restart_strategy_configuration

    def get_description(self) -> str:
        """The strategy in words."""
        return self._settings.get("restart-strategy.type", "Cluster level default")

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, RestartStrategyConfiguration)
            and type(self) is type(other)
            and self._settings == other._settings
        )

    def __hash__(self) -> int:
        return hash(tuple(sorted(self._settings.items())))


class RestartStrategies:
    """Makes strategies. Spans of time are milliseconds or timedelta, else a TypeError."""

    class NoRestartStrategyConfiguration(RestartStrategyConfiguration):
        """A failed job stays failed."""

        def __init__(self, j_restart_strategy: dict[str, str] | None = None) -> None:
            super().__init__(j_restart_strategy or {"restart-strategy.type": "disable"})

        def get_description(self) -> str:
            """The strategy in words."""
            return "Restart deactivated."

    class FallbackRestartStrategyConfiguration(RestartStrategyConfiguration):
        """What the configuration says."""

        def __init__(self, j_restart_strategy: dict[str, str] | None = None) -> None:
            super().__init__(j_restart_strategy or {})

        def get_description(self) -> str:
            """The strategy in words."""
            return "Cluster level default restart strategy"

    class FixedDelayRestartStrategyConfiguration(RestartStrategyConfiguration):
        """A number of attempts with a pause before each."""

        def __init__(
            self,
            restart_attempts: int | None = None,
            delay_between_attempts: Any = None,
            j_restart_strategy: dict[str, str] | None = None,
        ) -> None:
            self._attempts = restart_attempts or 0
            self._delay = _millis(delay_between_attempts or 0, "delay_between_attempts")
            super().__init__(
                j_restart_strategy
                or {
                    "restart-strategy.type": "fixed-delay",
                    "restart-strategy.fixed-delay.attempts": str(self._attempts),
                    "restart-strategy.fixed-delay.delay": f"{self._delay} ms",
                }
            )

        def get_restart_attempts(self) -> int:
            """How often the job is started again."""
            return self._attempts

        def get_delay_between_attempts_interval(self) -> timedelta:
            """The pause before each attempt."""
            return _timedelta(self._delay)

        def get_description(self) -> str:
            """The strategy in words."""
            return (
                f"Restart with fixed delay ({self._delay} ms). #{self._attempts} restart attempts."
            )

    class FailureRateRestartStrategyConfiguration(RestartStrategyConfiguration):
        """Any number of attempts, unless failures come too fast."""

        def __init__(
            self,
            max_failure_rate: int | None = None,
            failure_interval: Any = None,
            delay_between_attempts_interval: Any = None,
            j_restart_strategy: dict[str, str] | None = None,
        ) -> None:
            self._rate = max_failure_rate or 0
            self._interval = _millis(failure_interval or 0, "failure_interval")
            self._delay = _millis(delay_between_attempts_interval or 0, "delay_interval")
            key = "restart-strategy.failure-rate."
            super().__init__(
                j_restart_strategy
                or {
                    "restart-strategy.type": "failure-rate",
                    f"{key}max-failures-per-interval": str(self._rate),
                    f"{key}failure-rate-interval": f"{self._interval} ms",
                    f"{key}delay": f"{self._delay} ms",
                }
            )

        def get_max_failure_rate(self) -> int:
            """How many failures are borne per interval."""
            return self._rate

        def get_failure_interval(self) -> timedelta:
            """The interval."""
            return _timedelta(self._interval)

        def get_delay_between_attempts_interval(self) -> timedelta:
            """The pause before each attempt."""
            return _timedelta(self._delay)

        def get_description(self) -> str:
            """The strategy in words."""
            return (
                f"Failure rate restart with maximum of {self._rate} failures within interval "
                f"{self._interval} ms and fixed delay {self._delay} ms."
            )

    @staticmethod
    def no_restart() -> NoRestartStrategyConfiguration:
        """A failed job stays failed."""
        return RestartStrategies.NoRestartStrategyConfiguration()

    @staticmethod
    def fall_back_restart() -> FallbackRestartStrategyConfiguration:
        """What the configuration says."""
        return RestartStrategies.FallbackRestartStrategyConfiguration()

    @staticmethod
    def fixed_delay_restart(
        restart_attempts: int, delay_between_attempts: int | timedelta
    ) -> FixedDelayRestartStrategyConfiguration:
        """So many attempts, with a pause before each."""
        return RestartStrategies.FixedDelayRestartStrategyConfiguration(
            restart_attempts, delay_between_attempts
        )

    @staticmethod
    def failure_rate_restart(
        failure_rate: int, failure_interval: int | timedelta, delay_interval: int | timedelta
    ) -> FailureRateRestartStrategyConfiguration:
        """Any number of attempts, unless more than `failure_rate` failures come in an interval."""
        return RestartStrategies.FailureRateRestartStrategyConfiguration(
            failure_rate, failure_interval, delay_interval
        )


def _millis(span: Any, name: str) -> int:
    if isinstance(span, int) and not isinstance(span, bool):
        return span
    import datetime

    if isinstance(span, datetime.timedelta):
        return span // datetime.timedelta(milliseconds=1)
    raise TypeError(f"{name} must be milliseconds or a timedelta, not {span!r}")


def _timedelta(millis: int) -> timedelta:
    import datetime

    return datetime.timedelta(milliseconds=millis)
