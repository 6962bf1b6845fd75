"""`HybridSource`: one source after the other, as PyFlink's module of that name."""

from __future__ import annotations

from typing import NoReturn

from leat.datastream.connectors.base import Source

__all__ = ["HybridSource", "HybridSourceBuilder"]


class HybridSource(Source):
    """Reads one source to its end, then the next. Made by `builder`.

    A NotSupportedError when it is built: sources in a row come with a later release.
    """

    def __init__(self, j_hybrid_source: tuple[Source, ...]) -> None:
        from leat.common.errors import NotSupportedError

        raise NotSupportedError(
            "HybridSource: sources in a row come with a later release",
            "read the sources apart, and union the streams",
        )

    @staticmethod
    def builder(first_source: Source) -> HybridSourceBuilder:
        """Begin to describe a source that reads this one first."""
        return HybridSourceBuilder(()).add_source(first_source)


class HybridSourceBuilder:
    """Describes a HybridSource. `j_hybrid_source_builder` are the sources so far."""

    def __init__(self, j_hybrid_source_builder: tuple[Source, ...]) -> None:
        self._sources = j_hybrid_source_builder

    def add_source(self, source: Source) -> HybridSourceBuilder:
        """The source that comes next. Answers this builder."""
        if not isinstance(source, Source):
            raise TypeError(f"A Source such as FileSource is needed, not {source!r}")
        self._sources += (source,)
        return self

    def build(self) -> NoReturn:
        """A NotSupportedError: sources in a row come with a later release."""
        HybridSource(self._sources)
        raise AssertionError("a HybridSource can't be made")
