"""Predicates for strategies of further attempts, as PyFlink's module of this name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sized

__all__ = ["empty_result_predicate", "exception_type_predicate", "has_exception_predicate"]


def empty_result_predicate(result: Sized | None) -> bool:
    """Whether there are no results: None, or an empty list."""
    return result is None or len(result) == 0


def has_exception_predicate(error: BaseException | None) -> bool:
    """Whether there is an exception: for all of them."""
    return error is not None


def exception_type_predicate(error: Any, expected_error_type: type[BaseException]) -> bool:
    """Whether the exception is of this type; give the type by `functools.partial` or a lambda."""
    return isinstance(error, expected_error_type)
