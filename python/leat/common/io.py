"""`InputFormat`, as PyFlink's `pyflink.common.io`."""

from __future__ import annotations

from typing import Any, NoReturn

__all__ = ["InputFormat"]


class InputFormat:
    """Base of the input formats that `create_input` takes; they come with the file formats."""

    def __init__(self, j_input_format: Any) -> None:
        self._format = j_input_format

    def get_java_object(self) -> NoReturn:
        """Always a NotSupportedError: there is no Java behind Leat's objects."""
        from leat.common.errors import NotSupportedError

        raise NotSupportedError("Leat has no Java objects")
