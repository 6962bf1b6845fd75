"""Counts that survive whatever happens to the process: kill it, and start it again.

python -m leat run -s latest examples/python/14_survive.py [FOLDER]
"""

import sys
import time

from pyflink.common import Types, WatermarkStrategy
from pyflink.datastream import KeyedProcessFunction, StreamExecutionEnvironment
from pyflink.datastream.connectors.number_seq import NumberSequenceSource
from pyflink.datastream.state import ValueStateDescriptor


def slowly(number):
    time.sleep(0.002)
    return number


class Count(KeyedProcessFunction):
    """How many numbers of its parity there were."""

    def open(self, runtime_context):
        self.count = runtime_context.get_state(ValueStateDescriptor("count", Types.LONG()))

    def process_element(self, number, context):
        count = (self.count.value() or 0) + 1
        self.count.update(count)
        if count % 50 == 0:
            yield f"{count} {'odd' if number % 2 else 'even'} numbers"


env = StreamExecutionEnvironment.get_execution_environment()
env.enable_checkpointing(50)
folder = sys.argv[1] if len(sys.argv) > 1 else "/tmp/leat-checkpoints"
env.get_checkpoint_config().set_checkpoint_storage_dir(folder)
numbers = env.from_source(NumberSequenceSource(1, 1000), WatermarkStrategy.no_watermarks(), "all")
counts = numbers.map(slowly, Types.LONG()).key_by(lambda number: number % 2).process(Count())
counts.uid("counts").print()
env.execute("survive")
