"""One record through one map: what run.py measures the start with."""

import sys

from leat.common import Configuration, Types
from leat.datastream import StreamExecutionEnvironment

config = Configuration()
config.set_string("python.execution-mode", sys.argv[1])
config.set_string("parallelism.default", "1")
env = StreamExecutionEnvironment.get_execution_environment(config)
env.from_collection([1], Types.LONG()).map(lambda x: x + 1).print()
env.execute("one record")
