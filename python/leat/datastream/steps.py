"""Steps of a chain of calls such as `a.join(b).where(key).equal_to(key).window(assigner)`."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from typing import NoReturn

__all__ = ["Step"]


class Step:
    """What a call of a chain answers; whoever leaves the next call out is told which it is."""

    _next: ClassVar[str]

    if not TYPE_CHECKING:  # which would take it for a promise that any attribute is there

        def __getattr__(self, name: str) -> NoReturn:
            missing = f"{type(self).__name__!r} object has no attribute {name!r}"
            if not name.startswith("_"):
                missing += f"; what comes next here is {self._next}"
            raise AttributeError(missing, name=name, obj=self)
