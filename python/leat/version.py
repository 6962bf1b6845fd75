"""The version of this package. `leat._leat.__version__` (the library's) must be the same."""

__version__ = "0.1.0"
