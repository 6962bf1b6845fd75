"""Leat: Flink's stream processing, embedded, with PyFlink's Python API.

`leat.common` and `leat.datastream` have the names, signatures and results of `pyflink.common` and
`pyflink.datastream`. A script that imports `pyflink` runs unchanged under `python -m leat run`, or
after `import leat.as_pyflink`.

Importing this package loads nothing else: the extension module is loaded by the first
`StreamExecutionEnvironment`.
"""

from leat.version import __version__

__all__ = ["__version__"]
