"""File formats and schemas, as PyFlink's `pyflink.datastream.formats`: descriptions.

They are kept and checked. What would read or write with them, `FileSource`, `FileSink` and
connectors to message queues, refuses them until it can.
"""
