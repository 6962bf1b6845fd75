import copy

import pytest
from leat.common import ConfigOptions, Configuration


def test_typed_values_and_their_strings():
    conf = Configuration()
    assert conf.set_string("s", "x").set_integer("i", 1) is conf
    conf.set_boolean("b", True).set_float("f", 1.2).set_bytearray("y", bytearray(b"ab"))
    assert conf.get_string("s", None) == "x"
    assert conf.get_integer("i", 0) == 1
    assert conf.get_boolean("b", False) is True
    assert conf.get_float("f", 0.0) == 1.2
    assert conf.get_bytearray("y", bytearray()) == bytearray(b"ab")
    assert conf.to_dict() == {"s": "x", "i": "1", "b": "true", "f": "1.2", "y": "ab"}
    raw = {}
    conf.add_all_to_dict(raw)
    assert raw == {"s": "x", "i": 1, "b": True, "f": 1.2, "y": bytearray(b"ab")}


def test_getters_convert_and_complain():
    conf = Configuration().set_string("i", "12").set_string("b", "TRUE").set_string("x", "y")
    assert conf.get_integer("i", 0) == 12
    assert conf.get_float("i", 0.0) == 12.0
    assert conf.get_boolean("b", False) is True
    assert conf.get_integer("none", 7) == 7
    for get in (conf.get_integer, conf.get_boolean, conf.get_float, conf.get_bytearray):
        with pytest.raises(ValueError, match="x: 'y' is no"):
            get("x", None)


def test_integers_have_64_bits():
    Configuration().set_integer("a", 2**63 - 1)
    with pytest.raises(ValueError):
        Configuration().set_integer("a", 2**63)


def test_keys_removal_and_merging():
    conf = Configuration().set_string("a", "1")
    other = Configuration().set_integer("b", 2)
    conf.add_all(other).add_all(other, "p.")
    assert conf.key_set() == {"a", "b", "p.b"}
    assert conf.contains_key("a")
    assert conf.remove_config("a") is True
    assert conf.remove_config("a") is False


def test_copies_equality_hash_and_text():
    conf = Configuration().set_string("k1", "v1").set_integer("k2", 1)
    for again in (Configuration(conf), copy.deepcopy(conf)):
        assert again == conf
        assert hash(again) == hash(conf)
        again.set_string("k3", "x")
        assert again != conf
    assert str(conf) == "{k1=v1, k2=1}"


def test_from_dict_makes_strings():
    assert Configuration.from_dict({"a": True, "b": 1}).to_dict() == {"a": "true", "b": "1"}


@pytest.mark.parametrize(
    ("text", "items"),
    [
        (None, []),
        ("", []),
        ("a;b;c", ["a", "b", "c"]),
        ("[a, b]", ["a", "b"]),
        ("['a, b', \"c\"]", ["a, b", "c"]),
        ("- a\n- b", ["a", "b"]),
        ("one", ["one"]),
    ],
)
def test_parse_list_value(text, items):
    assert Configuration.parse_list_value(text) == items


def test_config_options():
    option = ConfigOptions.key("a.b").int_type().default_value(3)
    assert (option.key(), option.default_value()) == ("a.b", 3)
    assert ConfigOptions.key("c").string_type().as_list().no_default_value().default_value() is None


def test_set_boolean_takes_bools_only():
    with pytest.raises(TypeError, match="b: a bool is needed, not 'maybe'"):
        Configuration().set_boolean("b", "maybe")
