"""Canonical bytes of objects as keys: the same in every process and version."""

import datetime
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from leat import _leat
from leat.common import Row

pytestmark = pytest.mark.quick


def key(value):
    return _leat._key(value, None)


@pytest.mark.parametrize(
    ("value", "golden"),
    [
        (None, "00"),
        (True, "02"),
        (1, "038000000000000001"),
        (1.0, "04bff0000000000000"),
        (0.0, "048000000000000000"),
        (-0.0, "048000000000000000"),
        ("a", "050161"),
        (b"a", "060161"),
        (("a", 1), "0702050161038000000000000001"),
        ({"b": None, "a": None}, "0a020501610005016200"),
        ({2, 1}, "1002038000000000000001038000000000000002"),
        (2**70, "0f09400000000000000000"),
    ],
)
def test_key_golden_bytes(value, golden):
    assert key(value).hex() == golden


def test_key_equal_content_equal_bytes():
    assert key({"a": 1, "b": {1, 2}}) == key({"b": {2, 1}, "a": 1})
    assert key(float("nan")) == key(-float("nan"))
    assert key(frozenset("abc")) == key(frozenset("cba"))


def test_key_different_types_differ():
    values = [1, 1.0, True, "1", b"1", (1,), [1], Decimal(1), Row(1)]
    assert len({key(v) for v in values}) == len(values)


def test_key_objects_by_class_and_state():
    moment = datetime.datetime(2020, 1, 1)
    assert key(moment) == key(datetime.datetime(2020, 1, 1))
    assert key(moment) != key(datetime.datetime(2020, 1, 2))
    assert key((moment, {1})) != key((moment, {2}))
    assert key(Path("a")) == key(Path("a")) != key(Path("b"))


@pytest.mark.parametrize("value", [key, len, sys, int, (1, key)])
def test_key_code_is_refused_by_name(value):
    with pytest.raises(TypeError, match="can't be a key"):
        key(value)


SCRIPT = """
import datetime
from pathlib import Path
from leat import _leat
print(_leat._key(({'b', 'a', 'c'}, {'y': 1, 'x': 2}, datetime.datetime(2020, 1, 1)), None).hex())
"""


def test_key_is_the_same_for_every_hash_seed():
    import leat

    place = str(Path(leat.__file__).parents[1])
    seen = set()
    for seed in ("0", "1", "42"):
        environ = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": place}
        command = [sys.executable, "-c", SCRIPT]
        seen.add(subprocess.run(command, env=environ, check=True, capture_output=True).stdout)
    assert len(seen) == 1
