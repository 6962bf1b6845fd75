"""Key selectors that only take an item: the same keys and errors as any other function gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from leat.datastream import StreamExecutionEnvironment


class Letters(tuple):
    """Its items are not what its iterator gives."""

    def __getitem__(self, index: Any) -> Any:
        return "z"


def second(pair: Any) -> Any:
    """What this says does not matter."""
    return pair[1]


SELECTORS: list[Callable[[Any], Any]] = [
    lambda t: t[1],
    second,
    lambda t: t[-1],
    lambda *t: t[0][1],
]


@pytest.mark.parametrize("selector", SELECTORS)
def test_items_of_tuples_are_keys(
    env: StreamExecutionEnvironment, selector: Callable[[Any], Any]
) -> None:
    values = [(i, "ab"[i % 2]) for i in range(10)]
    sums = env.from_collection(values).map(lambda t: t).key_by(selector).sum(0)
    with sums.execute_and_collect() as results:
        last = {key: total for total, key in results}
    assert last == {"a": 20, "b": 25}


@pytest.mark.parametrize(
    "values",
    [[[1, "a"], [2, "b"], [3, "a"]], ["xa", "yb", "za"], [{1: "a"}, {1: "b"}, {1: "a"}]],
    ids=["lists", "strings", "dicts"],
)
def test_items_of_other_values_are_keys(env: StreamExecutionEnvironment, values: list[Any]) -> None:
    stream = env.from_collection(values).map(lambda v: v).key_by(lambda v: v[1])
    with stream.reduce(lambda a, b: a).execute_and_collect() as results:
        assert list(results) == [values[0], values[1], values[0]]


def test_a_class_of_tuples_is_asked(env: StreamExecutionEnvironment) -> None:
    stream = env.from_collection([1, 2]).map(lambda i: Letters((i, "a"))).key_by(lambda t: t[1])
    keys = stream.reduce(lambda a, b: a).map(lambda t: 1)
    with keys.execute_and_collect() as results:
        assert list(results) == [1, 1]


def test_a_tuple_that_is_too_short_fails_in_the_selector(env: StreamExecutionEnvironment) -> None:
    stream = env.from_collection([(1,)]).map(lambda t: t).key_by(lambda t: t[1]).sum(0)
    with (
        pytest.raises(Exception, match="tuple index out of range"),
        stream.execute_and_collect() as results,
    ):
        list(results)
