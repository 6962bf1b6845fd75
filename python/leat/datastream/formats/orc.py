"""ORC files, as PyFlink's `pyflink.datastream.formats.orc`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from leat.common.configuration import Configuration
    from leat.common.serialization import BulkWriterFactory
    from leat.table.types import RowType

__all__ = ["OrcBulkWriters"]


class OrcBulkWriters:
    """Writers of ORC files."""

    @staticmethod
    def for_row_type(
        row_type: RowType,
        writer_properties: Configuration | None = None,
        hadoop_config: Configuration | None = None,
    ) -> BulkWriterFactory:
        """A writer of rows (or tuples) of this type, `DataTypes.ROW([...])`. It needs pyarrow.

        Of the settings `orc.compress` (ZLIB) and `orc.stripe.size` are known, other keys are
        NotSupportedErrors.
        """
        from leat.datastream.formats.arrow_writers import OrcWriterFactory, orc_options

        options = orc_options(hadoop_config, writer_properties)
        return OrcWriterFactory(row_type, "OrcBulkWriters", options)
