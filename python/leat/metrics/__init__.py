"""Numbers that functions tell about themselves, with the names of `pyflink.metrics`."""

from leat.metrics.metricbase import Counter, Distribution, Meter, Metric, MetricGroup

__all__ = ["Counter", "Distribution", "Meter", "Metric", "MetricGroup"]
