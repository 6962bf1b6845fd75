"""`Configuration`: settings by key, with typed getters and setters, as PyFlink's
`pyflink.common.configuration`. Keys and their meaning are in `leat config`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Configuration"]


class Configuration:
    """Settings by key. Values keep the type they were set with; getters convert between types.

    `other` is copied. `j_configuration` exists for PyFlink's sake and takes a dict, which is then
    shared and not copied.
    """

    def __init__(
        self,
        other: Configuration | None = None,
        j_configuration: dict[str, Any] | None = None,
    ) -> None:
        self._values: dict[str, Any] = {} if j_configuration is None else j_configuration
        if other is not None:
            self._values.update(other._values)

    @classmethod
    def from_dict(cls, map: Mapping[str, Any]) -> Configuration:
        """A Configuration with these settings; values other than strings become strings."""
        made = cls()
        for key, value in map.items():
            made.set_string(key, _text(value))
        return made

    def get_string(self, key: str, default_value: str | None) -> str | None:
        """The value as a string."""
        value = self._values.get(key)
        return default_value if value is None else _text(value)

    def set_string(self, key: str, value: str) -> Configuration:
        """Set a string; answers this object."""
        return self._set(key, value, str)

    def get_integer(self, key: str, default_value: int | None) -> int | None:
        """The value as an int of 64 bits. A ValueError when it is none."""
        return self._get(key, default_value, int, _to_int)

    def set_integer(self, key: str, value: int) -> Configuration:
        """Set an int of at most 64 bits; answers this object."""
        if not -(1 << 63) <= value < 1 << 63:
            raise ValueError(f"{key}: {value} does not fit into 64 bits")
        return self._set(key, value, int)

    def get_boolean(self, key: str, default_value: bool | None) -> bool | None:
        """The value as a bool: true or false, in any case. A ValueError when it is neither."""
        return self._get(key, default_value, bool, _to_bool)

    def set_boolean(self, key: str, value: bool) -> Configuration:
        """Set a bool; answers this object. A TypeError for anything else."""
        if not isinstance(value, bool):
            raise TypeError(f"{key}: a bool is needed, not {value!r}")
        return self._set(key, value, bool)

    def get_float(self, key: str, default_value: float | None) -> float | None:
        """The value as a float. A ValueError when it is none."""
        return self._get(key, default_value, float, float)

    def set_float(self, key: str, value: float) -> Configuration:
        """Set a float; answers this object."""
        return self._set(key, value, float)

    def get_bytearray(self, key: str, default_value: bytearray | None) -> bytearray | None:
        """The value as a bytearray. A ValueError when it was set as something else."""
        return self._get(key, default_value, bytearray, _to_bytearray)

    def set_bytearray(self, key: str, value: bytearray) -> Configuration:
        """Set a bytearray, which is copied; answers this object."""
        return self._set(key, value, bytearray)

    def key_set(self) -> set[str]:
        """All keys that are set."""
        return set(self._values)

    def add_all_to_dict(self, target_dict: dict[str, Any]) -> None:
        """Put all settings into `target_dict`, with the types they have here."""
        target_dict.update(self._values)

    def add_all(self, other: Configuration, prefix: str | None = None) -> Configuration:
        """Take over all settings of `other`, with `prefix` before their keys; answers this."""
        start = prefix or ""
        self._values.update({start + k: v for k, v in other._values.items()})
        return self

    def contains_key(self, key: str) -> bool:
        """Whether the key is set."""
        return key in self._values

    def to_dict(self) -> dict[str, str]:
        """All settings as strings: `1`, `1.2`, `true`."""
        return {k: _text(v) for k, v in self._values.items()}

    def remove_config(self, key: str) -> bool:
        """Unset the key; answers whether it was set."""
        return self._values.pop(key, None) is not None

    @staticmethod
    def parse_list_value(value: str | None) -> list[str]:
        """The items of a list setting: `a;b`, `[a, b]`, or lines that begin with `- `.

        None is the empty list.
        """
        if value is None or not value.strip():
            return []
        text = value.strip()
        if text.startswith("[") and text.endswith("]"):
            items = _split(text[1:-1], ",")
        elif text.startswith("- "):
            items = [line.strip()[2:] for line in text.splitlines() if line.strip()]
        else:
            items = _split(text, ";")
        return [_unquoted(i.strip()) for i in items if i.strip()]

    def _get(self, key: str, default: Any, kind: type, convert: Any) -> Any:
        value = self._values.get(key)
        if value is None or type(value) is kind:
            return default if value is None else value
        try:
            return convert(value)
        except (TypeError, ValueError):
            raise ValueError(f"{key}: {value!r} is no {kind.__name__}") from None

    def _set(self, key: str, value: Any, kind: type) -> Configuration:
        if not isinstance(key, str):
            raise TypeError(f"A key is a str, not {key!r}")
        if value is None:
            raise ValueError(f"{key}: the value is None; use remove_config() to unset it")
        self._values[key] = kind(value)
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Configuration:
        return Configuration(self)

    def __hash__(self) -> int:
        return hash(frozenset(self.to_dict().items()))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Configuration) and self._values == other._values

    def __str__(self) -> str:
        return "{" + ", ".join(f"{k}={_text(v)}" for k, v in self._values.items()) + "}"

    def __repr__(self) -> str:
        return f"Configuration({self})"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).decode("utf-8", "backslashreplace")
    if isinstance(value, (list, tuple)):
        return ";".join(map(_text, value))
    return str(value)


def _to_int(value: Any) -> int:
    return int(str(value), 10)


def _to_bool(value: Any) -> bool:
    text = str(value).strip().lower()
    if text not in ("true", "false"):
        raise ValueError(value)
    return text == "true"


def _to_bytearray(value: Any) -> bytearray:
    if not isinstance(value, (bytes, bytearray)):
        raise ValueError(value)
    return bytearray(value)


def _split(text: str, separator: str) -> list[str]:
    """Split at separators that stand in no quotes."""
    items, quote, start = [], "", 0
    for i, c in enumerate(text):
        if quote:
            quote = "" if c == quote else quote
        elif c in "'\"":
            quote = c
        elif c == separator:
            items.append(text[start:i])
            start = i + 1
    items.append(text[start:])
    return items


def _unquoted(item: str) -> str:
    if len(item) >= 2 and item[0] == item[-1] and item[0] in "'\"":
        return item[1:-1].replace(item[0] * 2, item[0])
    return item
