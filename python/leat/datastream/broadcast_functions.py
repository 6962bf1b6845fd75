"""Functions of a stream beside a broadcast one, as `pyflink.datastream.functions` has them.

Every parallel subtask gets every element of the broadcast stream and keeps what it needs in
broadcast state: maps that are the same in all subtasks, because all change them in the same way.
The other side only reads them. There is no order between the two sides.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from leat.datastream.functions import Function

if TYPE_CHECKING:
    from collections.abc import Iterable

    from leat.datastream.state import (
        BroadcastState,
        MapStateDescriptor,
        ReadOnlyBroadcastState,
    )
    from leat.datastream.time_domain import TimeDomain
    from leat.datastream.timerservice import TimerService

__all__ = [
    "BaseBroadcastProcessFunction",
    "BroadcastProcessFunction",
    "KeyedBroadcastProcessFunction",
]


class BaseBroadcastProcessFunction(Function):
    """What the two kinds of broadcast process functions have in common: their contexts."""

    class BaseContext(ABC):
        """What both sides may ask during a call."""

        @abstractmethod
        def timestamp(self) -> int | None:
            """The record's event time in milliseconds, None when it has none."""

        @abstractmethod
        def current_processing_time(self) -> int:
            """The time of the machine, in milliseconds since 1970-01-01 UTC."""

        @abstractmethod
        def current_watermark(self) -> int:
            """The event time that was reached; the smallest 64-bit integer before the first."""

    class Context(BaseContext):
        """What the broadcast side may ask during a call."""

        @abstractmethod
        def get_broadcast_state(self, state_descriptor: MapStateDescriptor) -> BroadcastState:
            """The map of that name, to read and change. It never expires.

            A ValueError when `broadcast()` was not given its descriptor.
            """

    class ReadOnlyContext(BaseContext):
        """What the other side may ask during a call."""

        @abstractmethod
        def get_broadcast_state(
            self, state_descriptor: MapStateDescriptor
        ) -> ReadOnlyBroadcastState:
            """The map of that name, to read.

            A ValueError when `broadcast()` was not given its descriptor.
            """


class BroadcastProcessFunction(BaseBroadcastProcessFunction):
    """A function of a stream without keys beside a broadcast one."""

    class Context(BaseBroadcastProcessFunction.Context, ABC):
        """What `process_broadcast_element` may ask during a call."""

    class ReadOnlyContext(BaseBroadcastProcessFunction.ReadOnlyContext, ABC):
        """What `process_element` may ask during a call."""

    @abstractmethod
    def process_element(
        self, value: Any, ctx: BroadcastProcessFunction.ReadOnlyContext
    ) -> Iterable[Any] | None:
        """The values to emit for one of the stream; `yield tag, value` is for a side output."""

    @abstractmethod
    def process_broadcast_element(
        self, value: Any, ctx: BroadcastProcessFunction.Context
    ) -> Iterable[Any] | None:
        """The values to emit for one of the broadcast stream: each subtask emits its own."""


class KeyedBroadcastProcessFunction(BaseBroadcastProcessFunction):
    """A function of a keyed stream beside a broadcast one.

    Keyed state and timers belong to the keyed side: the broadcast side has no key.
    """

    class Context(BaseBroadcastProcessFunction.Context, ABC):
        """What `process_broadcast_element` may ask during a call."""

    class ReadOnlyContext(BaseBroadcastProcessFunction.ReadOnlyContext, ABC):
        """What `process_element` may ask during a call."""

        @abstractmethod
        def get_current_key(self) -> Any:
            """The key of the record."""

        @abstractmethod
        def timer_service(self) -> TimerService:
            """Time and timers."""

    class OnTimerContext(ReadOnlyContext):
        """What `on_timer` may ask during a call."""

        @abstractmethod
        def time_domain(self) -> TimeDomain:
            """Which time the timer was registered in."""

    @abstractmethod
    def process_element(
        self, value: Any, ctx: KeyedBroadcastProcessFunction.ReadOnlyContext
    ) -> Iterable[Any] | None:
        """The values to emit for one of the stream; `yield tag, value` is for a side output."""

    @abstractmethod
    def process_broadcast_element(
        self, value: Any, ctx: KeyedBroadcastProcessFunction.Context
    ) -> Iterable[Any] | None:
        """The values to emit for one of the broadcast stream: each subtask emits its own."""

    def on_timer(
        self, timestamp: int, ctx: KeyedBroadcastProcessFunction.OnTimerContext
    ) -> Iterable[Any] | None:
        """The values to emit when a timer fires; None is nothing. They get the timer's time."""
        return None
