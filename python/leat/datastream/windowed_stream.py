"""`WindowedStream` and `AllWindowedStream`: streams whose records are put into windows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from leat.common.typeinfo import TypeInformation, Types, _as_output_type
from leat.datastream.evictors import DeltaEvictor, Evictor
from leat.datastream.functions import (
    AggregateFunction,
    AllWindowFunction,
    ProcessAllWindowFunction,
    ProcessWindowFunction,
    ReduceFunction,
    WindowFunction,
)
from leat.datastream.keywords import also_accepts
from leat.datastream.node import display_name, shipped
from leat.datastream.output_tag import OutputTag
from leat.datastream.plain_stream import DataStream
from leat.datastream.window_assigners import MergingWindowAssigner, WindowAssigner
from leat.datastream.window_kinds import builtin_spec
from leat.datastream.window_triggers import PurgingTrigger, Trigger

if TYPE_CHECKING:
    from collections.abc import Callable

    from leat.common.serializer import TypeSerializer
    from leat.datastream.keyed_stream import KeyedStream
    from leat.datastream.stream_execution_environment import StreamExecutionEnvironment

__all__ = ["AllWindowedStream", "WindowedStream"]

_Params = dict[str, object]


class InWindows:
    """A serialised function with what it needs to know of the windows that it works on."""

    __slots__ = ("accumulator", "keyed", "last", "merging", "method", "payload", "serializer")

    def __init__(
        self,
        payload: bytes,
        *,
        method: str | None = None,
        keyed: bool = True,
        merging: bool = False,
        last: bool = False,
        accumulator: str | None = None,
        serializer: TypeSerializer | None = None,
    ) -> None:
        self.payload = payload
        self.method = method  # of a window function; None: the object is called
        self.keyed = keyed  # a window function gets the key
        self.merging = merging  # windows merge, and have no state
        self.last = last  # what the function gives is emitted, with the output's type
        self.accumulator = accumulator  # the type of accumulators; None: any object
        self.serializer = serializer  # of windows of own classes; None: they are pickled


class _WindowSettings:
    """Which windows there are, and when they are ready."""

    def __init__(self, stream: KeyedStream, window_assigner: WindowAssigner) -> None:
        if not isinstance(window_assigner, WindowAssigner):
            raise TypeError(
                "a WindowAssigner is needed, such as TumblingEventTimeWindows.of(Time.seconds(5)), "
                f"not {window_assigner!r}"
            )
        self._stream = stream
        self._assigner = window_assigner
        self._own_trigger: Trigger | None = None
        self._own_evictor: Evictor | None = None
        self._lateness = 0
        self._late_tag: OutputTag | None = None

    def get_execution_environment(self) -> StreamExecutionEnvironment:
        """The environment that the stream belongs to."""
        return self._stream.get_execution_environment()

    def get_input_type(self) -> TypeInformation:
        """The type of the values; `Types.PICKLED_BYTE_ARRAY()` when none was given."""
        return self._stream._node.type_info or Types.PICKLED_BYTE_ARRAY()

    # --- settings, for the classes below, which answer themselves ---------------------------------

    def _set_trigger(self, trigger: Trigger) -> None:
        if not isinstance(trigger, Trigger):
            raise TypeError(f"trigger() needs a Trigger, not {trigger!r}")
        if isinstance(self._assigner, MergingWindowAssigner) and trigger.can_merge() is not True:
            raise TypeError(
                "A merging window assigner cannot be used with a trigger that does not support "
                "merging."
            )
        self._own_trigger = trigger

    def _set_evictor(self, evictor: Evictor) -> None:
        if not isinstance(evictor, Evictor):
            raise TypeError(f"evictor() needs an Evictor, not {evictor!r}")
        self._stream._node.env._note_addition(f"{type(self).__name__}.evictor")
        self._own_evictor = evictor

    def _set_lateness(self, time_ms: int) -> None:
        if isinstance(time_ms, bool) or not isinstance(time_ms, int):
            raise TypeError(f"allowed_lateness() needs milliseconds as an int, not {time_ms!r}")
        if time_ms < 0:
            raise ValueError(f"The allowed lateness cannot be negative: {time_ms}")
        self._lateness = time_ms

    def _set_late_tag(self, output_tag: OutputTag) -> None:
        if not isinstance(output_tag, OutputTag):
            raise TypeError(f"side_output_late_data() needs an OutputTag, not {output_tag!r}")
        self._late_tag = output_tag

    # --- parameters of the operator ---------------------------------------------------------------

    def _default_trigger(self) -> Trigger:
        trigger = self._assigner.get_default_trigger(self.get_execution_environment())
        if not isinstance(trigger, Trigger):
            raise TypeError(
                f"{type(self._assigner).__name__}.get_default_trigger() returned {trigger!r}; a "
                "Trigger is needed"
            )
        return trigger

    def _serializer(self) -> TypeSerializer | None:
        """What writes windows of own classes; Leat's own windows need none."""
        if builtin_spec(self._assigner):
            return None
        return self._assigner.get_window_serializer()

    def _settings_params(self, serializer: TypeSerializer | None) -> _Params:
        return {
            **self._assigner_params(serializer),
            **self._trigger_params(serializer),
            **self._evictor_params(serializer),
            "lateness": self._lateness,
        }

    def _assigner_params(self, serializer: TypeSerializer | None) -> _Params:
        spec = builtin_spec(self._assigner)
        if spec is None:
            return {"assigner": _in_windows(self._assigner, "Window", serializer=serializer)}
        gap = getattr(self._assigner, "_gap", None)
        if gap is None:
            return {"assigner": _native(spec)}
        return {"assigner": _native(spec), "gap": shipped(gap(), object, "Session")}

    def _trigger_params(self, serializer: TypeSerializer | None) -> _Params:
        """None for the default one of an assigner of the library's, which knows it better."""
        trigger = self._own_trigger
        if trigger is None:
            if builtin_spec(self._assigner):
                return {}
            trigger = self._default_trigger()
            if isinstance(self._assigner, MergingWindowAssigner):
                self._set_trigger(trigger)
        params: _Params = {}
        while type(trigger) is PurgingTrigger:
            params["purging"] = 1
            trigger = trigger.nested_trigger
        spec = builtin_spec(trigger)
        params["trigger"] = (
            _native(spec) if spec else _in_windows(trigger, "Trigger", serializer=serializer)
        )
        return params

    def _evictor_params(self, serializer: TypeSerializer | None) -> _Params:
        evictor = self._own_evictor
        if evictor is None:
            return {}
        spec = builtin_spec(evictor)
        if spec is None:
            return {"evictor": _in_windows(evictor, "Evictor", serializer=serializer)}
        params: _Params = {"evictor": _native(spec)}
        if isinstance(evictor, DeltaEvictor):
            params["delta"] = shipped(evictor._delta(), object, "Delta")
        return params


class _Windows(_WindowSettings):
    """What both kinds of streams in windows have in common."""

    _plain: ClassVar[type]  # the class of functions that `apply` takes
    _process: ClassVar[type]  # and `process`
    _title: ClassVar[str]  # of the operator's description
    _keyed: ClassVar[bool]

    # --- functions --------------------------------------------------------------------------------

    @also_accepts(result_type="output_type", type_info="output_type")
    def apply(
        self,
        window_function: WindowFunction | AllWindowFunction | Callable[..., Any],
        output_type: TypeInformation | None = None,
    ) -> DataStream:
        """The values that the function's `apply` gives for each window, of all its elements.

        A plain callable of the same arguments will do, too.
        """
        if isinstance(window_function, self._process) or not (
            isinstance(window_function, self._plain) or callable(window_function)
        ):
            raise TypeError(f"The input must be a {self._plain.__name__} or a callable function")
        return self._operator({}, window_function, output_type)

    @also_accepts(result_type="output_type", type_info="output_type")
    def process(
        self,
        process_window_function: ProcessWindowFunction | ProcessAllWindowFunction,
        output_type: TypeInformation | None = None,
    ) -> DataStream:
        """The values that the function's `process` gives for each window, of all its elements."""
        if not isinstance(process_window_function, self._process):
            raise TypeError(f"The input must be a {self._process.__name__}")
        return self._operator({}, process_window_function, output_type)

    @also_accepts(result_type="output_type", type_info="output_type")
    def reduce(
        self,
        reduce_function: ReduceFunction | Callable[[Any, Any], Any],
        window_function: Any = None,
        output_type: TypeInformation | None = None,
    ) -> DataStream:
        """Each window's values combined as they come; only the combination is stored.

        It is emitted with the type of the values, or given to the window function as the only
        element.
        """
        if not isinstance(reduce_function, ReduceFunction) and not callable(reduce_function):
            raise TypeError("The input must be a ReduceFunction or a callable function!")
        self._check_window_function(window_function)
        params: _Params = {"reduce": shipped(reduce_function, ReduceFunction, "Reduce")}
        if window_function is None:
            if output_type is None:
                return self._operator(params, None, self._stream._node.type_info, reduce_function)
            window_function = _TheElement()  # whose results are converted
        return self._operator(params, window_function, output_type, reduce_function)

    @also_accepts(result_type="output_type", type_info="output_type")
    def aggregate(
        self,
        aggregate_function: AggregateFunction,
        window_function: Any = None,
        accumulator_type: TypeInformation | None = None,
        output_type: TypeInformation | None = None,
    ) -> DataStream:
        """Each window's values put into an accumulator as they come; only that is stored.

        Natively when it has a type. Its result is emitted, or given to the window function as the
        only element. A class that says `mergeable = True` (Leat's addition) lets sliding windows
        share accumulators of their slides, which its `merge` puts together.
        """
        if not isinstance(aggregate_function, AggregateFunction):
            raise TypeError("The input must be a pyflink.datastream.functions.AggregateFunction!")
        self._check_window_function(window_function)
        made = _as_output_type(accumulator_type)
        accumulator = made._text() if made else None
        function = _in_windows(
            aggregate_function, "Aggregate", accumulator=accumulator, last=window_function is None
        )
        params: _Params = {"aggregate": function}
        return self._operator(params, window_function, output_type, aggregate_function)

    def sum(self, position_to_sum: int | str = 0) -> DataStream:
        """Of each window the sum of a field (Leat's addition, as Java's `sum`).

        The field is given by position or name, 0 of scalars; other fields are those of the window's
        first value. A TypeError for other kinds of position.
        """
        return self._builtin("sum", position_to_sum)

    def min(self, position_to_min: int | str = 0) -> DataStream:
        """Of each window the smallest field (Leat's addition); others as the first value's."""
        return self._builtin("min", position_to_min)

    def max(self, position_to_max: int | str = 0) -> DataStream:
        """Of each window the largest field (Leat's addition); others as the first value's."""
        return self._builtin("max", position_to_max)

    def min_by(self, position_to_min_by: int | str = 0) -> DataStream:
        """Of each window the first value with the smallest field (Leat's addition)."""
        return self._builtin("min_by", position_to_min_by)

    def max_by(self, position_to_max_by: int | str = 0) -> DataStream:
        """Of each window the first value with the largest field (Leat's addition)."""
        return self._builtin("max_by", position_to_max_by)

    def count(self) -> DataStream:
        """How many values each window has (Leat's addition)."""
        self._stream._node.env._note_addition(f"{type(self).__name__}.count")
        params: _Params = {"aggregate": _native("count")}
        return self._operator(params, None, Types.LONG(), "count")

    # --- the operator -----------------------------------------------------------------------------

    def _builtin(self, name: str, position: int | str) -> DataStream:
        if not isinstance(position, (int, str)) or isinstance(position, bool):
            raise TypeError(
                f"The field position of {name} must be of int or str type, not {position!r}"
            )
        if isinstance(position, int) and position < 0:
            raise ValueError(f"The field position of {name} must not be negative: {position}")
        self._stream._node.env._note_addition(f"{type(self).__name__}.{name}")
        params: _Params = {"reduce": _native(f"{name} {position}")}
        return self._operator(params, None, self._stream._node.type_info, name)

    def _check_window_function(self, function: Any) -> None:
        if function is not None and not isinstance(function, (self._plain, self._process)):
            raise TypeError(
                f"window_function should be a {self._plain.__name__} or {self._process.__name__}"
            )

    def _operator(
        self,
        params: _Params,
        function: Any,
        output_type: TypeInformation | None,
        *described: Any,
    ) -> DataStream:
        name = type(self._assigner).__name__
        serializer = self._serializer()
        if function is not None:
            params["window"] = _in_windows(
                function,
                name,
                method=self._method(function),
                keyed=self._keyed,
                merging=isinstance(self._assigner, MergingWindowAssigner),
                serializer=serializer,
            )
        params |= self._settings_params(serializer)
        params["late_tag"] = self._late_tag.tag_id if self._late_tag else None
        node = self._stream._node.then(
            "window",
            params,
            name,
            _as_output_type(output_type),
            parallelism=0 if self._keyed else 1,
        )
        if self._late_tag:
            node.late[self._late_tag.tag_id] = self._stream.get_type()
        shown = [f if isinstance(f, str) else display_name(f) for f in (*described, function) if f]
        trigger = type(self._own_trigger or self._default_trigger()).__name__
        node.option(
            "description", f"{self._title}({self._assigner!r}, {trigger}, {', '.join(shown)})"
        )
        return DataStream(node)

    def _method(self, function: Any) -> str | None:
        if isinstance(function, self._process):
            return "process"
        return "apply" if isinstance(function, self._plain) else None


class _TheElement:
    """A window function after a reducer that gives what it got."""

    def __call__(self, *key_window_elements: Any) -> Any:
        return key_window_elements[-1]


class WindowedStream(_Windows):
    """The records of each key in windows. Made by `KeyedStream.window` and `count_window`."""

    _plain = WindowFunction
    _process = ProcessWindowFunction
    _title = "Window"
    _keyed = True

    def __init__(self, keyed_stream: KeyedStream, window_assigner: WindowAssigner) -> None:
        super().__init__(keyed_stream, window_assigner)

    def trigger(self, trigger: Trigger) -> WindowedStream:
        """Say when windows are ready, in place of the assigner's default. Answers this."""
        self._set_trigger(trigger)
        return self

    def allowed_lateness(self, time_ms: int) -> WindowedStream:
        """Keep windows so many milliseconds of event time longer; each late record fires again."""
        self._set_lateness(time_ms)
        return self

    def side_output_late_data(self, output_tag: OutputTag) -> WindowedStream:
        """Send records that are too late to a side output, rather than drop them."""
        self._set_late_tag(output_tag)
        return self

    def evictor(self, evictor: Evictor) -> WindowedStream:
        """Leave records out before or after the function (Leat's addition, as in Java).

        All elements of a window are stored then, and reduced or aggregated when it fires.
        """
        self._set_evictor(evictor)
        return self


class AllWindowedStream(_Windows):
    """All records of a stream in windows, by one subtask. Made by `DataStream.window_all`."""

    _plain = AllWindowFunction
    _process = ProcessAllWindowFunction
    _title = "AllWindow"
    _keyed = False

    def __init__(self, data_stream: DataStream, window_assigner: WindowAssigner) -> None:
        from leat.datastream.functions import NullByteKeySelector

        super().__init__(data_stream.key_by(NullByteKeySelector(), Types.BYTE()), window_assigner)

    def trigger(self, trigger: Trigger) -> AllWindowedStream:
        """Say when windows are ready, in place of the assigner's default. Answers this."""
        self._set_trigger(trigger)
        return self

    def allowed_lateness(self, time_ms: int) -> AllWindowedStream:
        """Keep windows so many milliseconds of event time longer; each late record fires again."""
        self._set_lateness(time_ms)
        return self

    def side_output_late_data(self, output_tag: OutputTag) -> AllWindowedStream:
        """Send records that are too late to a side output, rather than drop them."""
        self._set_late_tag(output_tag)
        return self

    def evictor(self, evictor: Evictor) -> AllWindowedStream:
        """Leave records out before or after the function (Leat's addition, as in Java).

        All elements of a window are stored then, and reduced or aggregated when it fires.
        """
        self._set_evictor(evictor)
        return self


def _native(spec: str) -> tuple[str, bytes, str]:
    """The parameter that stands for a function of the library's own."""
    return ("leat", spec.encode(), spec)


def _in_windows(function: Any, operator: str, **settings: Any) -> tuple[str, bytes, str]:
    if isinstance(function, type):
        raise TypeError(
            f"{operator}: {function.__name__} is a class; give an instance: {function.__name__}()"
        )
    from leat.shipping import dumps

    if settings.get("serializer") is not None:
        dumps(settings["serializer"], operator)  # so that a complaint is about it
    dressed = InWindows(dumps(function, operator), **settings)
    return ("python", dumps(dressed, operator), display_name(function))
