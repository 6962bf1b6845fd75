"""Windows on random inputs, with disorder and lateness, beside naive references in Python."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from leat.datastream import OutputTag
from leat.datastream.window import (
    EventTimeSessionWindows,
    SlidingEventTimeWindows,
    TumblingEventTimeWindows,
)
from window_parts import PER_RECORD, Mean, MergeableMean, keyed, ms, timed

RECORDS = st.lists(st.tuples(st.sampled_from("abc"), st.integers(-30, 120)), max_size=40)
MODEL = settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def starts(time: int, size: int, slide: int) -> range:
    return range(time - time % slide, time - size, -slide)


def whole_windows(records: list[Any], size: int, slide: int) -> list[Any]:
    """All windows of records that are never late: key, start and times in order of arrival."""
    windows = defaultdict(list)
    for key, time in records:
        for start in starts(time, size, slide):
            windows[key, start].append(time)
    return sorted((key, start, times) for (key, start), times in windows.items())


def whole_sessions(records: list[Any], gap: int) -> list[Any]:
    """The same for sessions: key, start, end and times, sorted."""
    found = []
    for key in {k for k, _ in records}:
        session: list[int] = []
        for time in sorted(t for k, t in records if k == key):
            if session and time > session[-1] + gap:
                found.append((key, session[0], session[-1] + gap, session))
                session = []
            session = [*session, time]
        found.append((key, session[0], session[-1] + gap, session))
    return sorted(found)


def with_lateness(records: list[Any], size: int, slide: int, bound: int, lateness: int) -> Any:
    """What one subtask gives in order, and what is too late, with a watermark per record."""
    windows, fired, results, late = defaultdict(list), set(), [], []
    watermark = None

    def advance(to: int) -> None:
        for start, key in sorted((s, k) for k, s in windows if (k, s) not in fired):
            if start + size - 1 <= to:
                fired.add((key, start))
                results.append((key, start, list(windows[key, start])))
        for key, start in [w for w in windows if w[1] + size - 1 + lateness <= to]:
            del windows[key, start]

    for key, time in records:
        taken = False
        for start in starts(time, size, slide):
            if watermark is not None and start + size - 1 + lateness <= watermark:
                continue
            taken = True
            windows[key, start].append(time)
            if watermark is not None and start + size - 1 <= watermark:
                fired.add((key, start))
                results.append((key, start, list(windows[key, start])))
        if not taken and watermark is not None and time + lateness <= watermark:
            late.append((key, time))
        watermark = time - bound - 1 if watermark is None else max(watermark, time - bound - 1)
        advance(watermark)
    advance(2**62)
    return results, late


def show(key: Any, window: Any, elements: list[Any]) -> list[Any]:
    return [(key, window.start, [time for _, time in elements])]


def assigner(size: int, slide: int) -> Any:
    if size == slide:
        return TumblingEventTimeWindows.of(ms(size))
    return SlidingEventTimeWindows.of(ms(size), ms(slide))


def in_order_of_time(windows: list[Any]) -> list[Any]:
    return [(key, start, sorted(times)) for key, start, times in windows]


@pytest.mark.parametrize("parallelism", [1, 3])
@pytest.mark.parametrize(("size", "slide"), [(10, 10), (20, 7), (12, 4)])
def test_windows_in_time(make_env, results, parallelism, size, slide):
    @MODEL
    @given(RECORDS)
    def check(records):
        env = make_env(parallelism)
        if not records:
            return
        windowed = keyed(env, records, bound=1000).window(assigner(size, slide))
        found, expected = results(windowed.apply(show)), whole_windows(records, size, slide)
        if parallelism > 1:  # in what order the records of a key come is not said
            found, expected = in_order_of_time(found), in_order_of_time(expected)
        assert sorted(found) == expected

    check()


@pytest.mark.parametrize("parallelism", [1, 3])
def test_folds_of_windows(make_env, results, parallelism):
    @MODEL
    @given(RECORDS)
    def check(records):
        if not records:
            return
        env = make_env(parallelism)

        def windowed():
            return keyed(env, records, 1000).window(SlidingEventTimeWindows.of(ms(20), ms(5)))

        streams = {
            "sum": windowed().sum(1).map(lambda v: v[1]),
            "max": windowed().max(1).map(lambda v: v[1]),
            "count": windowed().count(),
            "mean": windowed().aggregate(Mean()),
            "mergeable": windowed().aggregate(MergeableMean()),
        }
        named = [s.map(lambda v, n=n: (n, v)) for n, s in streams.items()]
        found = results(named[0].union(*named[1:]))
        whole = [times for _, _, times in whole_windows(records, 20, 5)]
        folds = {"sum": sum, "max": max, "count": len, "mean": mean, "mergeable": mean}
        for name, fold in folds.items():
            expected = sorted(fold(times) for times in whole)
            assert sorted(v for n, v in found if n == name) == expected, name

    check()


def mean(times: list[int]) -> float:
    return sum(times) / len(times)


@pytest.mark.parametrize("parallelism", [1, 3])
def test_sessions_in_time(make_env, results, parallelism):
    def spans(key, window, elements):
        return [(key, window.start, window.end, sorted(t for _, t in elements))]

    @MODEL
    @given(RECORDS)
    def check(records):
        if not records:
            return
        windowed = keyed(make_env(parallelism), records, bound=1000)
        sessions = windowed.window(EventTimeSessionWindows.with_gap(ms(9)))
        assert sorted(results(sessions.apply(spans))) == whole_sessions(records, 9)

    check()


@pytest.mark.parametrize(("size", "slide"), [(10, 10), (20, 5)])
@pytest.mark.parametrize("lateness", [0, 15])
def test_late_records(make_env, results, size, slide, lateness):
    @MODEL
    @given(RECORDS, st.integers(0, 30))
    def check(records, bound):
        if not records:
            return
        tag = OutputTag("late")
        items = keyed(make_env(1, **PER_RECORD), records, bound)
        windowed = items.window(assigner(size, slide)).allowed_lateness(lateness)
        main = windowed.side_output_late_data(tag).apply(show).map(lambda v: ("main", v))
        late = main_side(windowed, tag).map(lambda v: ("late", v))
        found = results(main.union(late))
        expected, too_late = with_lateness(records, size, slide, bound, lateness)
        assert sorted(v for n, v in found if n == "main") == sorted(expected)
        assert [v for n, v in found if n == "late"] == too_late

    def main_side(windowed, tag):
        return windowed.apply(show).get_side_output(tag)

    check()


@pytest.mark.parametrize(("size", "slide"), [(20, 5), (25, 10), (30, 1)])
def test_mergeable_aggregates_with_late_records(make_env, results, size, slide):
    @MODEL
    @given(RECORDS, st.integers(0, 30))
    def check(records, bound):
        if not records:
            return
        tag = OutputTag("late")
        items = keyed(make_env(1, **PER_RECORD), records, bound)
        windowed = items.window(assigner(size, slide)).side_output_late_data(tag)
        main = windowed.aggregate(MergeableMean())
        late = main.get_side_output(tag).map(lambda v: ("late", v))
        found = results(main.map(lambda v: ("main", v)).union(late))
        expected, too_late = with_lateness(records, size, slide, bound, 0)
        means = sorted(mean(times) for _, _, times in expected)
        assert sorted(v for n, v in found if n == "main") == means
        assert [v for n, v in found if n == "late"] == too_late

    check()


class Times(MergeableMean):
    """All times, in a list that is the accumulator and the result."""

    def create_accumulator(self):
        return []

    def add(self, value, accumulator):
        accumulator.append(value[1])
        return accumulator

    def get_result(self, accumulator):
        accumulator.sort()
        return accumulator

    def merge(self, acc_a, acc_b):
        acc_b.extend(acc_a)
        return acc_b


def test_results_of_mergeable_aggregates_may_be_changed(env, results):
    def spoil(times):
        found = list(times)
        times.clear()
        return found

    records = [("a", 2), ("a", 1), ("a", 7), ("a", 12), ("b", 3), ("a", 26)]
    windowed = keyed(env, records, 30).window(assigner(20, 5))
    found = results(windowed.aggregate(Times()).map(spoil))
    assert sorted(found) == sorted(sorted(times) for _, _, times in whole_windows(records, 20, 5))


@pytest.mark.parametrize("parallelism", [1, 3])
def test_windows_of_all(make_env, results, parallelism):
    @MODEL
    @given(RECORDS)
    def check(records):
        if not records:
            return
        items = timed(make_env(parallelism).from_collection(records), 1000)
        found = results(items.window_all(assigner(10, 10)).apply(lambda w, e: show(0, w, e)))
        expected = whole_windows([(0, time) for _, time in records], 10, 10)
        if parallelism > 1:
            found, expected = in_order_of_time(found), in_order_of_time(expected)
        assert found == expected

    check()
