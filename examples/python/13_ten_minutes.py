"""Ten minutes: the first program of PyFlink's older DataStream tutorial, as it was printed.

A collection, a function, and a file sink. Run it, then look at the files:

    leat run examples/python/13_ten_minutes.py
    find /tmp/output -type f -exec cat {} \\;

Another folder may be named behind the script.
"""

import sys

from pyflink.common.serialization import SimpleStringEncoder
from pyflink.common.typeinfo import Types
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.connectors import StreamingFileSink


def tutorial(folder="/tmp/output"):
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(1)
    env.from_collection(collection=[(1, "aaa"), (2, "bbb")]).flat_map(
        lambda record: [record[1] for _ in range(record[0])], result_type=Types.STRING()
    ).add_sink(StreamingFileSink.for_row_format(folder, SimpleStringEncoder()).build())
    env.execute("tutorial_job")


if __name__ == "__main__":
    tutorial(*sys.argv[1:])
