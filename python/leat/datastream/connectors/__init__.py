"""Sources and sinks, as PyFlink's `pyflink.datastream.connectors`.

Like PyFlink's, this package also has the names of its modules that older programs import from here.
"""

from __future__ import annotations

from typing import Any

from leat.datastream.connectors.base import DeliveryGuarantee, Sink, Source

__all__ = ["DeliveryGuarantee", "Sink", "Source"]

# By name: the module that has it. They are loaded when somebody asks.
_MOVED = {
    "HybridSource": "hybrid_source",
    "HybridSourceBuilder": "hybrid_source",
    "NumberSequenceSource": "number_seq",
    **dict.fromkeys(("JdbcConnectionOptions", "JdbcExecutionOptions", "JdbcSink"), "jdbc"),
    **dict.fromkeys(
        (
            "BucketAssigner",
            "FileEnumeratorProvider",
            "FileSink",
            "FileSource",
            "FileSourceBuilder",
            "FileSplitAssignerProvider",
            "OutputFileConfig",
            "RollingPolicy",
            "StreamFormat",
            "StreamingFileSink",
        ),
        "file_system",
    ),
}


def __getattr__(name: str) -> Any:
    module = _MOVED.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{module}"), name)
