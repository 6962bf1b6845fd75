"""Nothing public: PyFlink's `pyflink.common.utils` holds converters between Java and Python."""
