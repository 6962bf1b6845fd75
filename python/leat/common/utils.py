"""What PyFlink's `pyflink.common.utils` has of conversions between Java and Python."""

from __future__ import annotations

from typing import Any, NoReturn

__all__ = ["JavaObjectWrapper"]


class JavaObjectWrapper:
    """Base of what stands for a Java object in PyFlink. `j_object` is what it stands for here."""

    def __init__(self, j_object: Any) -> None:
        self._object = j_object

    def get_java_object(self) -> NoReturn:
        """Always a NotSupportedError: there are no Java objects."""
        from leat.common.errors import NotSupportedError

        raise NotSupportedError("Leat has no Java objects")
