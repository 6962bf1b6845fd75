import copy
import pickle

import pytest
from leat.common import Row, RowKind


def test_repr_of_named_and_unnamed_rows():
    assert repr(Row(a=1, b="x")) == "Row(a=1, b='x')"
    assert str(Row(1, "x")) == "<Row(1, 'x')>"


def test_names_keep_their_order():
    assert list(Row(z=1, a=2).as_dict()) == ["z", "a"]


def test_values_and_names_together_are_refused():
    with pytest.raises(ValueError, match="not both"):
        Row(1, a=2)


def test_access_by_position_slice_name_and_attribute():
    row = Row(a=1, b=2, c=3)
    assert (row[0], row[-1], row["b"], row.c) == (1, 3, 2, 3)
    assert row[1:] == [2, 3]
    assert row.get_fields_by_names(["c", "a"]) == [3, 1]


def test_assignment_by_position_and_name_but_not_by_attribute():
    row = Row(a=1, b=2)
    row["a"] = 10
    row[1] = 20
    assert row == Row(a=10, b=20)
    with pytest.raises(AttributeError, match="read only"):
        row.a = 3


def test_unknown_names_are_errors():
    row = Row(a=1)
    with pytest.raises(ValueError, match="'b'"):
        row["b"]
    with pytest.raises(AttributeError):
        _ = row.b
    with pytest.raises(AttributeError):
        _ = Row(1).a


def test_as_dict_needs_names_and_can_go_deep():
    with pytest.raises(TypeError):
        Row(1).as_dict()
    row = Row(a=Row(b=[Row(c=1)]), d={"e": Row(f=2)})
    assert row.as_dict()["a"] == Row(b=[Row(c=1)])
    assert row.as_dict(True) == {"a": {"b": [{"c": 1}]}, "d": {"e": {"f": 2}}}


def test_row_kind():
    row = Row.of_kind(RowKind.UPDATE_BEFORE, 1, 2)
    assert row.get_row_kind() is RowKind.UPDATE_BEFORE
    assert row != Row(1, 2)
    row.set_row_kind(RowKind.INSERT)
    assert row == Row(1, 2)
    assert [str(k) for k in RowKind] == ["+I", "-U", "+U", "-D"]


def test_equality_by_name_in_any_order():
    assert Row(a=1, b=2) == Row(b=2, a=1)
    assert Row(a=1) != Row(1)
    assert Row(1) != (1,)
    assert hash(Row(a=1, b=2)) == hash((1, 2))


def test_membership_looks_at_names_if_there_are_any():
    assert "a" in Row(a=1)
    assert 1 not in Row(a=1)
    assert 1 in Row(1, 2)


def test_a_row_of_names_is_a_factory():
    person = Row("name", "age")
    assert person("A", 1) == Row(name="A", age=1)
    with pytest.raises(ValueError):
        person(1, 2, 3)


def test_set_field_names():
    row = Row(1, 2)
    row.set_field_names(["a", "b"])
    assert row == Row(a=1, b=2)
    with pytest.raises(ValueError):
        row.set_field_names(["a"])


@pytest.mark.parametrize("row", [Row(), Row(1, None), Row(a=1), Row.of_kind(RowKind.DELETE, b=2)])
def test_copies_and_pickles_are_equal(row):
    for again in (pickle.loads(pickle.dumps(row)), copy.copy(row), copy.deepcopy(row)):
        assert again == row
        assert again is not row
        assert again.get_row_kind() is row.get_row_kind()


def test_iteration_and_length():
    assert list(Row(a=1, b=2)) == [1, 2]
    assert len(Row()) == 0
