"""ORC files, as PyFlink's `pyflink.datastream.formats.orc`."""

from __future__ import annotations

from typing import Any

from leat.common.serialization import BulkWriterFactory

__all__ = ["OrcBulkWriters"]


class OrcBulkWriters:
    """Writers of ORC files."""

    @staticmethod
    def for_row_type(
        row_type: Any, writer_properties: Any = None, hadoop_config: Any = None
    ) -> BulkWriterFactory:
        """A writer of rows of this type."""
        return BulkWriterFactory(("orc", row_type, writer_properties, hadoop_config))
