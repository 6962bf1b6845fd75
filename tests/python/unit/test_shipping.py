import functools
import threading

import pytest
from leat import shipping
from leat.datastream import MapFunction


def test_lambdas_and_closures_travel_by_value():
    offset = 3
    assert shipping.loads(shipping.dumps(lambda x: x + offset, "Map"))(1) == 4


class Locked(MapFunction):
    def __init__(self):
        self.inner = {"lock": threading.Lock()}

    def map(self, value):
        return value


def locked_default(x, lock=threading.Lock()):  # noqa: B008
    return x


LOCK = threading.Lock()


def test_what_cannot_be_pickled_is_named_with_the_way_to_it():
    lock = threading.Lock()

    def closure(x):
        return lock

    def outer(x):
        return closure(x)

    with pytest.raises(TypeError, match=r"leat: Map: .*'closure', variable 'lock' \(_thread.lock"):
        shipping.dumps(outer, "Map")
    with pytest.raises(TypeError, match=r"Filter: .*Locked.*attribute 'inner', item 'lock'"):
        shipping.dumps(Locked(), "Filter")
    with pytest.raises(TypeError, match="argument 0"):
        shipping.dumps(functools.partial(max, lock), "Map")


def test_the_original_error_is_the_cause():
    with pytest.raises(TypeError) as e:
        shipping.dumps(Locked(), "Map")
    assert isinstance(e.value.__cause__, TypeError)


SCRIPT = """
import pickle, subprocess, sys, dataclasses, enum, threading
from leat import shipping

LIMIT = 5
broken = threading.Lock()

class Colour(enum.Enum):
    RED = 1

@dataclasses.dataclass
class Point:
    x: int
    colour: Colour = Colour.RED

    class Inner:
        def __eq__(self, other):
            return type(self) is type(other)

    def moved(self):
        return Point(self.x + LIMIT)

class Slim:
    __slots__ = ("n", "__weakref__")

    def __init__(self, n):
        self.n = n

@dataclasses.dataclass(slots=True)
class Neat:
    x: int
    y: int = 2

class Base:
    def kind(self):
        return "base"

class Derived(Base):
    def kind(self):
        return "derived " + super().kind()

class Holder:
    lock = broken

def function(point):
    other = point.moved()
    assert type(other) is type(point) is Point
    kinds = [Derived().kind(), Colour.RED, isinstance(point, Point)]
    return [other, Point.Inner(), *kinds, Slim(7), Neat(8)]

if __name__ == "__main__":
    blob = shipping.main_classes_blob()
    payload = shipping.dumps(function, "Map")
    missing = shipping.dumps(lambda p: Holder, "Map")
    record = pickle.dumps(Point(1))
    assert b"LIMIT" not in payload and b"LIMIT" not in record
    worker = subprocess.run(
        [sys.executable, "-c", WORKER], input=pickle.dumps([blob, payload, record, missing]),
        stdout=subprocess.PIPE,
    )
    got = pickle.loads(worker.stdout)
    print(got)
    assert got[:5] == [Point(6), Point.Inner(), "derived base", Colour.RED, True]
    assert type(got[0]) is Point
    assert got[5].n == 7 and got[6] == Neat(8)
    print(got[7])
"""

WORKER = """
import pickle, sys
from leat import shipping
blob, payload, record, missing = pickle.load(sys.stdin.buffer)
shipping.bind_main_classes(blob)
function = shipping.loads(payload)
point = pickle.loads(record)
import __main__
assert type(point) is __main__.Point and __main__.Point.__qualname__ == "Point"
answer = function(point)
assert not any(hasattr(slim, "__dict__") for slim in answer[5:7])
try:
    shipping.loads(missing)(0)
except AttributeError as e:
    answer.append(str(e))
sys.stdout.buffer.write(pickle.dumps(answer))
"""


def test_classes_of_main_are_one_class_in_two_processes(python):
    done = python(f"WORKER = {WORKER!r}\n{SCRIPT}")
    assert "__main__.Holder did not come with the job because it cannot be pickled" in done.stdout


def test_the_same_under_the_launcher(python):
    source = f"WORKER = {WORKER!r}\n{SCRIPT}"
    done = python(source, "-m", "leat", "run", "SCRIPT")
    assert "Holder" in done.stdout


def test_the_blob_brings_path_and_alias(python):
    source = """
import sys, subprocess, marshal
import leat.as_pyflink
from leat import shipping
sys.path.insert(0, "/some/where")
worker = '''
import sys
from leat import shipping
shipping.bind_main_classes(sys.stdin.buffer.read())
import pyflink.datastream
assert sys.path[0] == "/some/where", sys.path
print(pyflink.datastream.__name__)
'''
done = subprocess.run([sys.executable, "-c", worker], input=shipping.main_classes_blob(),
                      stdout=subprocess.PIPE)
print(done.stdout.decode())
"""
    assert "leat.datastream" in python(source).stdout


def test_other_versions_are_refused(monkeypatch):
    blob = shipping.main_classes_blob()
    monkeypatch.setattr(shipping, "_versions", lambda: ("3.99", "0.1.0", ""))
    with pytest.raises(RuntimeError, match=r"python\.executable"):
        shipping.bind_main_classes(blob)


def test_records_of_local_classes_are_pickled_by_value():
    class Local:
        x = 1

    assert shipping.loads(shipping.dumps_record(Local())).x == 1
