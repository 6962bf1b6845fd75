"""`Node`: one stream of the graph that is being built, and how operators are added to it.

`DataStream` and its relatives are PyFlink's faces of a Node. A Node belongs to its environment and
names a stream of the library's environment by a handle.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leat.common.typeinfo import TypeInformation
from leat.datastream.functions import Function

if TYPE_CHECKING:
    from leat._leat import Env
    from leat.datastream.stream_execution_environment import StreamExecutionEnvironment

DEFAULT_PARALLELISM = 0  # of an operator: what the environment says when the job starts


class Node:
    """A stream's handle, the type of its values (None: any object) and its operator's name.

    `late` has the types of the late records that its operator sends to side outputs, by tag.
    """

    __slots__ = ("env", "handle", "late", "name", "type_info")

    def __init__(
        self,
        env: StreamExecutionEnvironment,
        handle: int,
        type_info: TypeInformation | None,
        name: str,
    ) -> None:
        self.env = env
        self.handle = handle
        self.type_info = type_info
        self.name = name
        self.late: dict[str, TypeInformation] = {}

    @property
    def engine(self) -> Env:
        """The library's environment."""
        return self.env._engine

    def then(
        self,
        operator: str,
        params: dict[str, object],
        name: str,
        type_info: TypeInformation | None = None,
        *,
        second: Node | None = None,
        parallelism: int = DEFAULT_PARALLELISM,
    ) -> Node:
        """Add an operator behind this stream, and behind `second` when it has two inputs."""
        inputs = self.handles(*([] if second is None else [second]))
        text = type_text(type_info)
        handle = self.engine.add(operator, inputs, params, name, text, parallelism)
        return Node(self.env, handle, type_info, name)

    def handles(self, *others: Node) -> list[int]:
        """The handles of this stream and of others; a ValueError if those are of another env."""
        for other in others:
            if other.env is not self.env:
                raise ValueError(
                    f"the streams {self.name!r} and {other.name!r} belong to two environments; "
                    "make both from one"
                )
        return [self.handle, *(other.handle for other in others)]

    def partitioned(self, kind: str) -> Node:
        """This stream, dealt out to the next operator's subtasks in another way."""
        return self.like(self.engine.partition(self.handle, kind))

    def like(self, handle: int) -> Node:
        """A stream of the same values under another handle."""
        return Node(self.env, handle, self.type_info, self.name)

    def option(self, option: str, value: str | int) -> None:
        """Set an option of the operator that made this stream."""
        self.engine.set_option(self.handle, option, value)


def type_text(type_info: TypeInformation | None) -> str | None:
    """The type in the library's grammar; None stays None. A TypeError for anything but a type."""
    if type_info is None:
        return None
    if not isinstance(type_info, TypeInformation):
        raise TypeError(f"a TypeInformation is needed, such as Types.STRING(), not {type_info!r}")
    return type_info._text()


def shipped(
    function: Any, base: type, operator: str, wanted: str | None = None, beside: Any = None
) -> tuple[str, bytes, str]:
    """The parameter that stands for a user function: a `base`, or any callable.

    What the library has to know with the function travels `beside` it.
    A TypeError for anything else, and for what cannot be serialised.
    """
    if isinstance(function, type) and issubclass(function, Function):
        raise TypeError(
            f"{operator}: {function.__name__} is a class; give an instance: {function.__name__}()"
        )
    if not isinstance(function, base) and not callable(function):
        raise TypeError(wanted or f"The input must be a {base.__name__} or a callable function")
    from leat.shipping import dumps

    return ("python", dumps(function, operator, beside), display_name(function))


def display_name(function: Any) -> str:
    """What to call a function in plans and messages."""
    if isinstance(function, Function):
        return type(function).__qualname__
    name = getattr(function, "__qualname__", None) or getattr(function, "__name__", None)
    if isinstance(name, str):
        return name
    wrapped = getattr(function, "func", None)
    return display_name(wrapped) if callable(wrapped) else type(function).__qualname__
