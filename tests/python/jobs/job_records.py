"""Classes and functions that the jobs of these tests import: workers find this module, too."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

from leat.datastream import MapFunction


@dataclass
class Point:
    """A class of records."""

    x: int
    y: int = 0
    tags: list[str] = field(default_factory=list)

    def moved(self, by: int) -> Point:
        return Point(self.x + by, self.y, [*self.tags, "moved"])


@dataclass(frozen=True)
class Key:
    """A class of keys."""

    name: str
    parts: tuple[Any, ...] = ()


class Place(NamedTuple):
    """A tuple with names."""

    name: str
    number: int


class Colour(Enum):
    RED = 1
    BLUE = 2


class Unpicklable:
    """Cannot leave its process."""

    def __reduce__(self) -> Any:
        raise TypeError("it stays here")

    def __repr__(self) -> str:
        return "Unpicklable()"


class TwoArguments(LookupError):
    """An exception that cannot be read back from its pickle."""

    def __init__(self, what: str, where: str) -> None:
        super().__init__(f"{what} in {where}")


def double(value: Any) -> Any:
    return value * 2


class Slow(MapFunction):
    """Hands on slowly; trips at these values, at each once."""

    def __init__(self, folder, *at):
        self.folder, self.at = Path(folder), at

    def map(self, value):
        time.sleep(0.001)
        flag = self.folder / f"tripped-{value}"
        if value in self.at and not flag.exists():
            flag.touch()
            raise ValueError("tripped")
        return value
