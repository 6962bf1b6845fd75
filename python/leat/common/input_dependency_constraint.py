"""`InputDependencyConstraint`: when Flink's scheduler may start a task. Without meaning here."""

from enum import Enum

__all__ = ["InputDependencyConstraint"]


class InputDependencyConstraint(Enum):
    """When a task may start: with the first input that has data, or with all of them."""

    ANY = 0
    ALL = 1
