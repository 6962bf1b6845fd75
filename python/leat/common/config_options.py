"""`ConfigOptions`: describes settings by key, type and default, as PyFlink's
`pyflink.common.config_options`.
"""

from __future__ import annotations

from typing import Any

__all__ = ["ConfigOption", "ConfigOptions"]


class ConfigOption:
    """A key with a type and a default. `j_config_option` is the tuple (key, type, default)."""

    def __init__(self, j_config_option: tuple[str, str, Any]) -> None:
        self._key, self._kind, self._default = j_config_option

    def key(self) -> str:
        """The key."""
        return self._key

    def default_value(self) -> Any:
        """The default, or None."""
        return self._default

    def __repr__(self) -> str:
        return f"ConfigOption({self._key!r}, {self._kind}, default={self._default!r})"


class ConfigOptions:
    """Begin with `ConfigOptions.key("a.b").int_type().default_value(1)`."""

    def __init__(self, j_config_options: str) -> None:
        self._key = j_config_options

    @staticmethod
    def key(key: str) -> ConfigOptions.OptionBuilder:
        """Describe this key."""
        return ConfigOptions.OptionBuilder(key)

    class OptionBuilder:
        """Chooses the type of a key's value."""

        def __init__(self, j_option_builder: str) -> None:
            self._key = j_option_builder

        def boolean_type(self) -> ConfigOptions.TypedConfigOptionBuilder:
            """A bool."""
            return self._typed("boolean")

        def int_type(self) -> ConfigOptions.TypedConfigOptionBuilder:
            """An int of 32 bits."""
            return self._typed("int")

        def long_type(self) -> ConfigOptions.TypedConfigOptionBuilder:
            """An int of 64 bits."""
            return self._typed("long")

        def float_type(self) -> ConfigOptions.TypedConfigOptionBuilder:
            """A float of single precision."""
            return self._typed("float")

        def double_type(self) -> ConfigOptions.TypedConfigOptionBuilder:
            """A float."""
            return self._typed("double")

        def string_type(self) -> ConfigOptions.TypedConfigOptionBuilder:
            """A string."""
            return self._typed("string")

        def duration_type(self) -> ConfigOptions.TypedConfigOptionBuilder:
            """A span of time such as `200 ms`."""
            return self._typed("duration")

        def memory_type(self) -> ConfigOptions.TypedConfigOptionBuilder:
            """An amount of memory such as `64 mb`."""
            return self._typed("memory")

        def enum_type(self, enum_class: Any) -> ConfigOptions.TypedConfigOptionBuilder:
            """A member of an enum."""
            return self._typed(f"enum {getattr(enum_class, '__name__', enum_class)}")

        def map_type(self) -> ConfigOptions.TypedConfigOptionBuilder:
            """Keys and values: `a:1,b:2`."""
            return self._typed("map")

        def _typed(self, kind: str) -> ConfigOptions.TypedConfigOptionBuilder:
            return ConfigOptions.TypedConfigOptionBuilder((self._key, kind))

    class TypedConfigOptionBuilder:
        """Chooses the default of a key."""

        def __init__(self, j_typed_config_option_builder: tuple[str, str]) -> None:
            self._key, self._kind = j_typed_config_option_builder

        def as_list(self) -> ConfigOptions.TypedConfigOptionBuilder:
            """A list of such values."""
            return ConfigOptions.TypedConfigOptionBuilder((self._key, f"list of {self._kind}"))

        def default_value(self, value: Any) -> ConfigOption:
            """The option with this default."""
            return ConfigOption((self._key, self._kind, value))

        def no_default_value(self) -> ConfigOption:
            """The option without a default."""
            return ConfigOption((self._key, self._kind, None))
