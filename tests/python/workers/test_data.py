"""Records between processes: of all sizes, in all shapes of pools, never too many on their way."""

import re

import pytest


@pytest.mark.parametrize("parallelism", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("pool", [1, 2, 3, 4])
def test_results_do_not_depend_on_the_pool(run, parallelism, pool):
    result = run(
        f"""
env = make_env({parallelism}, **{{"python.worker.pool-size": {pool}}})
words = [f"w{{i % 97}}" for i in range(5000)]
stream = env.from_collection(words, Types.STRING()).rebalance() \\
    .map(lambda w: (w, 1), Types.TUPLE([Types.STRING(), Types.LONG()])) \\
    .key_by(lambda t: t[0]).reduce(lambda a, b: (a[0], a[1] + b[1]))
last = {{}}
for word, count in stream.execute_and_collect():
    last[word] = max(count, last.get(word, 0))
import collections
assert last == collections.Counter(words), last
say("EQUAL")
"""
    )
    assert "EQUAL" in result.err, result.err


@pytest.mark.parametrize("declared", ["None", "Types.PICKLED_BYTE_ARRAY()"])
@pytest.mark.parametrize(
    ("size", "count"), [(0, 1000), (1 << 20, 60), (100 << 20, 3)], ids=["0", "1M", "100M"]
)
def test_records_of_all_sizes(run, size, count, declared):
    result = run(
        f"""
env = make_env(2, **{{"python.worker.pool-size": 2}})
stream = env.from_collection(range({count})).map(lambda i: bytes([i % 256]) * {size}, {declared}) \\
    .rebalance().map(lambda b: (len(b), b[:1] == b[-1:]))
got = list(stream.execute_and_collect())
assert got == [({size}, True)] * {count}, got[:3]
say("EQUAL")
"""
    )
    assert "EQUAL" in result.err, result.err


MEMORY = """
import resource, threading
def resident(pid="self"):
    return int(open(f"/proc/{pid}/statm").read().split()[1]) * resource.getpagesize() >> 20

peaks = {}
def watch():
    while True:
        for pid in [os.getpid(), *map(int, children())]:
            try:
                peaks[pid] = max(peaks.get(pid, 0), resident(pid))
            except OSError:
                pass
        time.sleep(0.01)

threading.Thread(target=watch, daemon=True).start()
"""


def test_slow_consumer_in_the_main_process_bounds_memory(run):
    result = run(
        MEMORY
        + """
env = make_env(2, **{"python.worker.pool-size": 2})
stream = env.from_collection(range(2)).rebalance() \\
    .flat_map(lambda i: (b"x" * 10000 for _ in range(20000)))
got = 0
for record in stream.execute_and_collect():
    got += 1
    if got % 100 == 0 and got < 10000:
        time.sleep(0.005)
assert got == 40000
say("PEAKS", *peaks.values())
"""
    )
    peaks = [int(n) for n in re.search(r"PEAKS ([\d ]+)", result.err)[1].split()]
    assert len(peaks) == 3
    assert max(peaks) < 120, peaks  # of 400 MB that passed


def test_slow_worker_bounds_the_memory_of_a_fast_one(run):
    result = run(
        MEMORY
        + """
def slow(record):
    if slow.seen < 3000:
        slow.seen += 1
        time.sleep(0.0005)
    return len(record)
slow.seen = 0

env = make_env(1, **{"python.worker.pool-size": 2})
env.from_collection([1]).set_parallelism(1) \\
    .flat_map(lambda i: (b"x" * 10000 for _ in range(30000))).set_parallelism(1) \\
    .rebalance().map(slow).set_parallelism(2).filter(lambda n: n != 10000).print()
env.execute("job")
say("PEAKS", *peaks.values())
"""
    )
    peaks = [int(n) for n in re.search(r"PEAKS ([\d ]+)", result.err)[1].split()]
    assert len(peaks) == 3
    assert max(peaks) < 120, peaks


def test_two_jobs_at_once_are_apart(run):
    result = run(
        """
def start(factor):
    env = make_env(2, **{"python.worker.pool-size": 2})
    stream = env.from_collection(range(1000)).rebalance().map(lambda x: (os.getpid(), x * factor))
    return stream.execute_and_collect()

first, second = start(1), start(1000)
a, b = list(first), list(second)
assert sorted(x for _, x in a) == list(range(1000))
assert sorted(x for _, x in b) == [1000 * x for x in range(1000)]
pids = {p for p, _ in a}, {p for p, _ in b}
assert len(pids[0]) == len(pids[1]) == 2 and not pids[0] & pids[1], pids
say("APART")
"""
    )
    assert "APART" in result.err, result.err


def test_failure_of_one_job_leaves_the_other(run):
    result = run(
        """
def start(deed):
    env = make_env()
    stream = env.from_collection(range(100)).map(deed)
    return stream.execute_and_collect()

def die(x):
    os._exit(9)

good = start(lambda x: time.sleep(0.002) or x)
try:
    list(start(die))
except Exception as e:
    say("FAILED", e)
assert list(good) == list(range(100))
say("LIVES")
"""
    )
    assert "exit code 9" in result.err
    assert "LIVES" in result.err


def test_native_tasks_beside_python_ones(run):
    result = run(
        """
env = make_env(3, **{"python.worker.pool-size": 2})
numbers = env.from_collection([(i % 5, 1) for i in range(1000)],
                              Types.TUPLE([Types.LONG(), Types.LONG()]))
summed = numbers.key_by(lambda t: t[0]).sum(1)
last = {}
for key, total in summed.execute_and_collect():
    last[key] = max(total, last.get(key, 0))
assert last == {k: 200 for k in range(5)}, last
say("EQUAL")
"""
    )
    assert "EQUAL" in result.err, result.err


def test_memory_limit_names_itself(run):
    result = run(
        """
def hoard(x):
    kept = bytearray(300 << 20)
    time.sleep(30)

env = make_env(**{"python.worker.memory-limit": "200mb"})
env.from_collection([1]).map(hoard).name("Hoarder").print()
begin = time.monotonic()
try:
    env.execute("job")
except Exception as e:
    say("FAILED", e)
say("TOOK", time.monotonic() - begin)
"""
    )
    assert re.search(
        r"worker 1 \(process \d+\) of .*Hoarder.*: it uses [23]\d\d MiB and "
        "python.worker.memory-limit is 200 MiB",
        result.err,
    ), result.err
    assert float(re.search(r"TOOK ([\d.]+)", result.err)[1]) < 2
