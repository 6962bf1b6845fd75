"""Who gets which record: partitioners, chains, parallelism; and plans that say so."""

from __future__ import annotations

import json
from collections import Counter, defaultdict

import pytest
from leat.common import Types
from leat.common.errors import JobError
from leat.datastream.functions import KeySelector, MapFunction, Partitioner


class Where(MapFunction):
    """Adds the index of the subtask that sees a record."""

    def open(self, runtime_context):
        self.subtask = runtime_context.get_index_of_this_subtask()

    def map(self, value):
        return self.subtask, value


class Through(MapFunction):
    """The subtasks that saw a record, one after the other."""

    def open(self, runtime_context):
        self.subtask = runtime_context.get_index_of_this_subtask()

    def map(self, value):
        seen, n = value if isinstance(value, tuple) else ((), value)
        return (*seen, self.subtask), n


def per_subtask(found):
    by = defaultdict(list)
    for subtask, value in found:
        by[subtask].append(value)
    return {k: sorted(v) for k, v in by.items()}


@pytest.mark.quick
@pytest.mark.parametrize("parallelism", [1, 2, 4])
def test_rebalance_deals_in_turn(make_env, results, parallelism):
    stream = make_env(parallelism).from_collection(range(40)).rebalance().map(Where())
    found = per_subtask(results(stream))
    assert sorted(map(len, found.values())) == [40 // parallelism] * parallelism
    assert sorted(x for xs in found.values() for x in xs) == list(range(40))


def test_shuffle_reaches_everybody(make_env, results):
    stream = make_env(2).from_collection(range(200)).shuffle().map(Where())
    found = per_subtask(results(stream))
    assert set(found) == {0, 1}
    assert min(map(len, found.values())) > 40
    assert sorted(x for xs in found.values() for x in xs) == list(range(200))


def test_broadcast_gives_everybody_all(make_env, results):
    stream = make_env(3).from_collection(range(10)).broadcast().map(Where())
    assert per_subtask(results(stream)) == {i: list(range(10)) for i in range(3)}


def test_broadcast_records_are_not_shared(make_env, results):
    def grow(x):
        x.append(len(x))
        return x

    stream = make_env(3).from_collection([[7]]).broadcast().map(grow)
    assert results(stream) == [[7, 1]] * 3


def test_global_gives_the_first_all(make_env, results):
    stream = make_env(3).from_collection(range(10)).rebalance().map(lambda x: x).global_()
    assert per_subtask(results(stream.map(Where()))) == {0: list(range(10))}


def test_forward_keeps_the_subtask(make_env, results):
    env = make_env(3)
    stream = env.from_collection(range(30)).rebalance().map(Through()).forward().map(Through())
    stream = stream.disable_chaining().map(Through())
    assert {len(set(seen)) for seen, _ in results(stream)} == {1}


def test_forward_between_different_parallelisms_is_told(make_env):
    env = make_env(2)
    stream = env.from_collection([1]).rebalance().map(lambda x: x).name("two").forward()
    stream.map(lambda x: x).name("three").set_parallelism(3).print()
    with pytest.raises(Exception, match="forward partitioning needs equal parallelisms"):
        env.execute()


def test_rescale_keeps_to_its_share(make_env, results):
    env = make_env(2)
    stream = env.from_collection(range(40)).rebalance().map(Through()).rescale().map(Through())
    found = results(stream.set_parallelism(4))
    assert {seen for seen, _ in found} == {(0, 0), (0, 1), (1, 2), (1, 3)}
    assert sorted(n for _, n in found) == list(range(40))
    assert set(Counter(seen for seen, _ in found).values()) == {10}


def test_rescale_to_fewer(make_env, results):
    env = make_env(4)
    stream = env.from_collection(range(40)).rebalance().map(Through()).rescale().map(Through())
    assert {s for s, _ in results(stream.set_parallelism(2))} == {(0, 0), (1, 0), (2, 1), (3, 1)}


class ByLast(Partitioner):
    def partition(self, key, num_partitions):
        return int(key[-1]) % num_partitions


class Text(KeySelector):
    def get_key(self, value):
        return str(value)


@pytest.mark.parametrize("as_objects", [False, True])
def test_partition_custom(make_env, results, as_objects):
    stream = make_env(2).from_collection(range(20)).map(lambda x: x)
    if as_objects:
        stream = stream.partition_custom(ByLast(), Text())
    else:
        stream = stream.partition_custom(lambda k, n: int(k[-1]) % n, str)
    found = per_subtask(results(stream.map(Where())))
    assert found == {0: list(range(0, 20, 2)), 1: list(range(1, 20, 2))}


def test_partition_custom_knows_the_parallelism_downstream(make_env, results):
    stream = make_env(2).from_collection(range(8)).partition_custom(lambda k, n: n - 1, lambda x: x)
    found = results(stream.map(Where()).set_parallelism(3))
    assert {subtask for subtask, _ in found} == {2}


@pytest.mark.parametrize("target", [-1, 2, 2**40])
def test_partition_custom_outside_is_told(make_env, results, target):
    stream = make_env(2).from_collection([5]).partition_custom(lambda k, n: target, lambda x: x)
    with pytest.raises(JobError, match=r"PartitionCustom"):
        results(stream.map(Where()))


def test_partition_custom_that_raises_is_told(make_env, results):
    def refuse(key, count):
        raise KeyError(key)

    stream = make_env(2).from_collection([5]).partition_custom(refuse, lambda x: x)
    with pytest.raises(JobError, match="KeyError: 5") as failure:
        results(stream.map(Where()))
    assert type(failure.value.__cause__) is KeyError


@pytest.mark.parametrize("bad", [5, "x", None])
def test_partition_custom_needs_callables(env, bad):
    with pytest.raises(TypeError, match="Partitioner or a callable"):
        env.from_collection([1]).partition_custom(bad, lambda x: x)
    with pytest.raises(TypeError, match="KeySelector or a callable"):
        env.from_collection([1]).partition_custom(lambda k, n: 0, bad)


@pytest.mark.parametrize("parallelism", [2, 4])
def test_key_by_sends_equal_keys_to_one_subtask(make_env, results, parallelism):
    stream = make_env(parallelism).from_collection(range(400)).rebalance().map(lambda x: x % 40)
    keyed = stream.key_by(lambda x: f"k{x}")
    found = results(keyed.map(Where()))
    by_key = defaultdict(set)
    for subtask, value in found:
        by_key[value].add(subtask)
    assert {len(s) for s in by_key.values()} == {1}
    assert {s for subtasks in by_key.values() for s in subtasks} == set(range(parallelism))


def test_key_by_places_keys_the_same_in_both_modes_and_every_run(make_env, results):
    stream = make_env(4).from_collection([("a", 1), (1, 2), (None, 3), (2.5, 4), (b"b", 5)])
    found = results(stream.key_by(lambda v: v[0]).map(Where()))
    assert {v[1]: subtask for subtask, v in found} == {1: 3, 2: 1, 3: 2, 4: 0, 5: 2}


# --- chains ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["on", "off", "new", "never"])
@pytest.mark.parametrize("parallelism", [1, 2])
def test_results_do_not_depend_on_chains(make_env, results, how, parallelism):
    env = make_env(parallelism)
    if how == "off":
        env.disable_operator_chaining()
    typed = Types.TUPLE([Types.LONG(), Types.STRING()])
    stream = env.from_collection(range(1000)).map(lambda x: [x, str(x)], typed)
    for step in (lambda t: (t[0] + 1, t[1]), lambda t: (t[0], t[1] * 2)):
        stream = stream.map(step, typed)
        if how == "new":
            stream = stream.start_new_chain()
        if how == "never":
            stream = stream.disable_chaining()
    stream = stream.filter(lambda t: t[0] % 3 == 0).flat_map(lambda t: [t, type(t).__name__])
    expected = [e for x in range(1000) if (x + 1) % 3 == 0 for e in ((x + 1, str(x) * 2), "tuple")]
    assert Counter(results(stream)) == Counter(expected)


def test_order_is_kept_from_one_subtask_to_the_next(make_env, results):
    env = make_env(1)
    env.disable_operator_chaining()
    stream = env.from_collection(range(20_000)).map(lambda x: x).flat_map(lambda x: iter([x]))
    assert results(stream.map(lambda x: x)) == list(range(20_000))


def test_parallelism_of_one_operator(make_env, results):
    stream = make_env(4).from_collection(range(30)).map(Where()).set_parallelism(3)
    assert {subtask for subtask, _ in results(stream)} == {0, 1, 2}


def test_plan_has_flinks_form(make_env):
    env = make_env(2)
    stream = env.from_collection([1]).rebalance().map(lambda x: x).name("first")
    stream.key_by(lambda x: x).reduce(lambda a, b: a).print()
    nodes = json.loads(env.get_execution_plan())["nodes"]
    assert (nodes[0]["pact"], nodes[-1]["pact"]) == ("Data Source", "Data Sink")
    strategies = {p["ship_strategy"] for n in nodes for p in n.get("predecessors", [])}
    assert {"REBALANCE", "HASH"} <= strategies


@pytest.mark.parametrize("parallelism", [2, 3])
def test_records_of_a_key_keep_their_order(make_env, results, parallelism):
    items = make_env(parallelism).from_collection(list(range(500)))
    found = results(items.key_by(lambda v: v % 3).reduce(lambda a, b: b))
    for key in range(3):
        assert [v for v in found if v % 3 == key] == list(range(key, 500, 3))
