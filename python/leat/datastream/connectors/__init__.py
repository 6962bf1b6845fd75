"""Sources and sinks, as PyFlink's `pyflink.datastream.connectors`."""

from leat.datastream.connectors.base import DeliveryGuarantee, Sink, Source

__all__ = ["DeliveryGuarantee", "Sink", "Source"]
