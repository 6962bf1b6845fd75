"""`also_accepts`: arguments that are taken besides those of PyFlink 2.3: old names, Leat's own."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_F = TypeVar("_F", bound="Callable[..., Any]")


def also_accepts(optional: Sequence[str] = (), **names: str) -> Callable[[_F], _F]:
    """Let a function take the keywords `names` (old name to new name) and leave out `optional`.

    What `inspect.signature` tells stays PyFlink 2.3's. A TypeError when both names of one argument
    are given.
    """

    def decorate(function: _F) -> _F:
        wanted = function.__code__.co_varnames[: function.__code__.co_argcount]

        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            for old in [k for k in kwargs if k in names]:
                if names[old] in kwargs:
                    raise TypeError(
                        f"{function.__name__}() got both {names[old]!r} and its old name {old!r}"
                    )
                kwargs[names[old]] = kwargs.pop(old)
            for name in optional:
                if name not in kwargs and name not in wanted[: len(args)]:
                    kwargs[name] = None
            return function(*args, **kwargs)

        return wrapper  # type: ignore[return-value]

    return decorate
