"""File formats and schemas, as PyFlink's `pyflink.datastream.formats`.

`FileSink` writes the bulk formats. What would read them, and connectors to message queues, refuse
them until they can.
"""
