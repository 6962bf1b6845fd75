"""Keyed state: descriptors, and what functions see, as PyFlink's `pyflink.datastream.state`.

A function of a keyed stream asks for a state in its `open`, by
`runtime_context.get_state(ValueStateDescriptor("name", type))` and its kin. Whatever it then reads
or writes belongs to the key of the record or timer being processed. Values with a type are stored
natively, and so converted to it; with `Types.PICKLED_BYTE_ARRAY()` objects stay as they are.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from leat.common.typeinfo import TypeInformation, Types
from leat.datastream.state_ttl import StateTtlConfig

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from leat.datastream.functions import AggregateFunction, ReduceFunction

__all__ = [
    "AggregatingState",
    "AggregatingStateDescriptor",
    "BroadcastState",
    "ListState",
    "ListStateDescriptor",
    "MapState",
    "MapStateDescriptor",
    "OperatorStateStore",
    "ReadOnlyBroadcastState",
    "ReducingState",
    "ReducingStateDescriptor",
    "StateTtlConfig",
    "ValueState",
    "ValueStateDescriptor",
]

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")
IN = TypeVar("IN")
OUT = TypeVar("OUT")


class OperatorStateStore(ABC):
    """Where operators find state that has no key."""

    @abstractmethod
    def get_broadcast_state(self, state_descriptor: MapStateDescriptor) -> BroadcastState:
        """The broadcast state of that name."""


class State(ABC):
    """Base of all kinds of state."""

    @abstractmethod
    def clear(self) -> None:
        """Forget what is stored under the current key."""


class ValueState(State, Generic[T]):
    """One value per key."""

    @abstractmethod
    def value(self) -> T:
        """The value, None when there is none."""

    @abstractmethod
    def update(self, value: T) -> None:
        """Set the value; None forgets it."""


class AppendingState(State, Generic[IN, OUT]):
    """State that values are added to."""

    @abstractmethod
    def get(self) -> OUT:
        """What was made of the values."""

    @abstractmethod
    def add(self, value: IN) -> None:
        """Add a value."""


class MergingState(AppendingState[IN, OUT]):
    """Appending state of which two can become one."""


class ReducingState(MergingState[T, T]):
    """One reduced value per key; `get` answers None when nothing was added."""


class AggregatingState(MergingState[IN, OUT]):
    """One accumulator per key; `get` answers its result, None when nothing was added."""


class ListState(MergingState[T, "Iterable[T]"]):
    """A list per key; `get` answers an iterable, which is empty when nothing was added."""

    @abstractmethod
    def update(self, values: list[T]) -> None:
        """Replace all elements."""

    @abstractmethod
    def add_all(self, values: list[T]) -> None:
        """Add elements at the end."""

    def __iter__(self) -> Iterator[T]:
        return iter(self.get())


class _ReadableMap(State, Generic[K, V]):
    """What can be asked of maps."""

    @abstractmethod
    def get(self, key: K) -> V:
        """The value of a key, None when there is none."""

    @abstractmethod
    def contains(self, key: K) -> bool:
        """Whether the key is there."""

    @abstractmethod
    def items(self) -> Iterable[tuple[K, V]]:
        """All pairs."""

    @abstractmethod
    def keys(self) -> Iterable[K]:
        """All keys."""

    @abstractmethod
    def values(self) -> Iterable[V]:
        """All values."""

    @abstractmethod
    def is_empty(self) -> bool:
        """Whether there are no pairs."""

    def __getitem__(self, key: K) -> V:
        return self.get(key)

    def __contains__(self, key: K) -> bool:
        return self.contains(key)

    def __iter__(self) -> Iterator[K]:
        return iter(self.keys())


class _WritableMap(_ReadableMap[K, V]):
    """And what changes them."""

    @abstractmethod
    def put(self, key: K, value: V) -> None:
        """Set a key's value."""

    @abstractmethod
    def put_all(self, dict_value: Mapping[K, V]) -> None:
        """Set all that the mapping has."""

    @abstractmethod
    def remove(self, key: K) -> None:
        """Forget a key; harmless when it is not there."""

    def __setitem__(self, key: K, value: V) -> None:
        self.put(key, value)

    def __delitem__(self, key: K) -> None:
        self.remove(key)


class MapState(_WritableMap[K, V]):
    """A map per key of the stream."""


class ReadOnlyBroadcastState(_ReadableMap[K, V]):
    """A map that is the same in all subtasks, as the side sees it that may not change it."""


class BroadcastState(_WritableMap[K, V], ReadOnlyBroadcastState[K, V]):
    """A map that is the same in all subtasks."""


class StateDescriptor(ABC):  # noqa: B024 - PyFlink's base has no abstract methods either
    """The name and type of a state. A name stands for one kind and type per function."""

    def __init__(self, name: str, type_info: TypeInformation) -> None:
        if not isinstance(name, str) or not name:
            raise TypeError(f"{type(self).__name__}: a name is needed, not {name!r}")
        self.name = name
        self.type_info = _typed(self, type_info)
        self._ttl_config: StateTtlConfig | None = None

    def get_name(self) -> str:
        """The name."""
        return self.name

    def enable_time_to_live(self, ttl_config: StateTtlConfig) -> None:
        """Let values expire; in lists and maps each element for itself."""
        if not isinstance(ttl_config, StateTtlConfig):
            raise TypeError(f"enable_time_to_live needs a StateTtlConfig, not {ttl_config!r}")
        self._ttl_config = ttl_config

    def _expiry(self) -> tuple[int, bool, bool]:
        """Milliseconds (0: never), whether reading prolongs, whether expired values show."""
        config = self._ttl_config
        if config is None or not config.is_enabled():
            return 0, False, False
        on_read = config.get_update_type() is StateTtlConfig.UpdateType.OnReadAndWrite
        shown = StateTtlConfig.StateVisibility.ReturnExpiredIfNotCleanedUp
        ttl = config.get_ttl().to_milliseconds()
        return max(ttl, 1), on_read, config.get_state_visibility() is shown

    def _functions(self) -> tuple[Callable[..., Any], ...]:
        """What the engine calls for this state."""
        return ()


class ValueStateDescriptor(StateDescriptor):
    """Of a ValueState of values of a type."""

    def __init__(self, name: str, value_type_info: TypeInformation) -> None:
        super().__init__(name, value_type_info)


class ListStateDescriptor(StateDescriptor):
    """Of a ListState of elements of a type."""

    def __init__(self, name: str, elem_type_info: TypeInformation) -> None:
        super().__init__(name, Types.LIST(_typed(self, elem_type_info)))


class MapStateDescriptor(StateDescriptor):
    """Of a MapState from keys to values of these types."""

    def __init__(
        self, name: str, key_type_info: TypeInformation, value_type_info: TypeInformation
    ) -> None:
        made = Types.MAP(_typed(self, key_type_info), _typed(self, value_type_info))
        super().__init__(name, made)


class ReducingStateDescriptor(StateDescriptor):
    """Of a ReducingState: a ReduceFunction or a callable of two values, and their type."""

    def __init__(
        self,
        name: str,
        reduce_function: ReduceFunction | Callable[[Any, Any], Any],
        type_info: TypeInformation,
    ) -> None:
        from leat.datastream.functions import ReduceFunction

        super().__init__(name, type_info)
        if not isinstance(reduce_function, ReduceFunction) and not callable(reduce_function):
            raise TypeError("The input must be a ReduceFunction or a callable function!")
        self._reduce_function = reduce_function

    def get_reduce_function(self) -> Any:
        """The function, as it was given."""
        return self._reduce_function

    def _functions(self) -> tuple[Callable[..., Any], ...]:
        function: Any = self._reduce_function
        return (getattr(function, "reduce", function),)


class AggregatingStateDescriptor(StateDescriptor):
    """Of an AggregatingState: an AggregateFunction, and the type of its accumulators."""

    def __init__(
        self, name: str, agg_function: AggregateFunction, state_type_info: TypeInformation
    ) -> None:
        from leat.datastream.functions import AggregateFunction

        super().__init__(name, state_type_info)
        if not isinstance(agg_function, AggregateFunction):
            raise TypeError("The input must be a pyflink.datastream.functions.AggregateFunction!")
        self._agg_function = agg_function

    def get_agg_function(self) -> AggregateFunction:
        """The function."""
        return self._agg_function

    def _functions(self) -> tuple[Callable[..., Any], ...]:
        f = self._agg_function
        return (f.add, f.create_accumulator, f.get_result, f.merge)


def _typed(descriptor: StateDescriptor, type_info: Any) -> TypeInformation:
    if isinstance(type_info, TypeInformation):
        return type_info
    raise TypeError(
        f"{type(descriptor).__name__}: a type such as Types.LONG() is needed, not {type_info!r}"
    )


# By the number of the kind in the library.
DESCRIPTORS: tuple[type[StateDescriptor], ...] = (
    ValueStateDescriptor,
    ListStateDescriptor,
    MapStateDescriptor,
    ReducingStateDescriptor,
    AggregatingStateDescriptor,
)


def know_engine_types() -> None:
    """Make the library's states instances of the classes above."""
    from leat import _leat

    for base in (
        ValueState,
        ListState,
        MapState,
        ReducingState,
        AggregatingState,
        ReadOnlyBroadcastState,
        BroadcastState,
    ):
        base.register(getattr(_leat, base.__name__))


def broadcast_of(descriptor: Any) -> tuple[str, str]:
    """The name and the type's text of a broadcast state; the library calls it."""
    if not isinstance(descriptor, MapStateDescriptor):
        raise TypeError(f"get_broadcast_state needs a MapStateDescriptor, not {descriptor!r}")
    know_engine_types()
    return descriptor.name, descriptor.type_info._text()
