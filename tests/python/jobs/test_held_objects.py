"""What an operator holds in its state and hands on: who changes that in place changes a copy."""

from __future__ import annotations

import pytest
from leat.common import Row, Types
from leat.datastream.functions import MapFunction
from leat.datastream.window import CountTrigger, GlobalWindows


class Spoils(MapFunction):
    """Changes in place whatever it is given, and tells what that was."""

    def map(self, value):
        told = str(value)
        if isinstance(value, Row):
            value[1] = -1000
            return told
        items = value[1] if isinstance(value, tuple) else value
        items.append("spoilt")
        return told


def joined(a, b):
    return a + b


def in_tuple(a, b):
    return a[0], a[1] + b[1]


def test_who_changes_what_reduce_gave_changes_a_copy(env, results):
    lists = env.from_collection([["a"], ["b"], ["c"]]).key_by(lambda v: 0).reduce(joined)
    tuples = env.from_collection([(0, ["a"]), (0, ["b"]), (0, ["c"])]).key_by(lambda v: v[0])
    assert results(lists.map(Spoils())) == ["['a']", "['a', 'b']", "['a', 'b', 'c']"]
    assert results(tuples.reduce(in_tuple).map(Spoils())) == [
        "(0, ['a'])",
        "(0, ['a', 'b'])",
        "(0, ['a', 'b', 'c'])",
    ]


@pytest.mark.parametrize(
    ("verb", "seen"), [("sum", [5, 9, 12]), ("min_by", [5, 4, 3]), ("max_by", [5, 5, 5])]
)
@pytest.mark.parametrize("typed", [False, True])
def test_who_changes_what_a_sum_gave_changes_a_copy(env, results, verb, seen, typed):
    type_info = Types.ROW_NAMED(["k", "n"], [Types.STRING(), Types.INT()]) if typed else None
    rows = env.from_collection([Row("k", n) for n in (5, 4, 3)], type_info=type_info)
    folded = getattr(rows.key_by(lambda v: v[0]), verb)(1)
    watched = folded.filter(lambda v: True).map(lambda v: (v[1], Spoils().map(v)))
    assert [n for n, _ in results(watched)] == seen


def test_who_changes_what_a_window_gave_changes_a_copy(env, results):
    lists = env.from_collection([["a"], ["b"], ["c"]]).key_by(lambda v: 0)
    windows = lists.window(GlobalWindows.create()).trigger(CountTrigger.of(1))
    assert results(windows.reduce(joined).map(Spoils())) == [
        "['a']",
        "['a', 'b']",
        "['a', 'b', 'c']",
    ]


def test_lists_that_were_declared_as_tuples_are_tuples(env, results):
    """So nobody can change them, and they need no copy."""
    pair = Types.TUPLE([Types.INT(), Types.STRING()])
    pairs = env.from_collection(["a", "b"]).map(lambda s: [0, s], output_type=pair)
    reduced = pairs.key_by(lambda v: v[0]).reduce(lambda a, b: [0, a[1] + b[1]])
    assert results(reduced.map(lambda v: (type(v).__name__, v[1]))) == [
        ("tuple", "a"),
        ("tuple", "ab"),
    ]
