"""From the SIGKILL of a worker to the first value that reaches the sink afterwards.

    killed.py FOLDER

A keyed sum over 1,000 keys in two workers, with a checkpoint every 50 ms; a function kills its own
process once. Prints milliseconds.
"""

import os
import signal
import sys
import time
from pathlib import Path

from leat.common import Configuration, Types, WatermarkStrategy
from leat.datastream import StreamExecutionEnvironment
from leat.datastream.connectors.number_seq import NumberSequenceSource
from leat.datastream.functions import MapFunction

FOLDER = Path(sys.argv[1])
KEYS, RECORDS, PACE = 1000, 20_000, 0.0001


def numbers_of(env):
    source = NumberSequenceSource(0, RECORDS - 1)
    return env.from_source(source, WatermarkStrategy.no_watermarks(), "numbers")


def kill_once(number):
    time.sleep(PACE)
    killed = FOLDER / "killed"
    if number > RECORDS // 2 and number % 2 and not killed.exists():
        killed.write_text(str(time.monotonic()))
        os.kill(os.getpid(), signal.SIGKILL)
    return number % KEYS, 1


class NoteFirst(MapFunction):
    """Writes down when the first value of the second attempt comes."""

    def open(self, runtime_context):
        self.waits = runtime_context.get_attempt_number() > 0

    def map(self, value):
        first = FOLDER / "first"
        if self.waits and not first.exists():
            first.write_text(str(time.monotonic()))
        self.waits = False
        return value


def main():
    for name in ("killed", "first"):
        (FOLDER / name).unlink(missing_ok=True)
    config = Configuration()
    for key, value in {
        "python.execution-mode": "process",
        "python.worker.pool-size": "2",
        "parallelism.default": "2",
        "pipeline.channel.capacity": "64",
        "execution.checkpointing.interval": "50 ms",
        "execution.checkpointing.dir": str(FOLDER / "checkpoints"),
        "restart-strategy.type": "fixed-delay",
        "restart-strategy.fixed-delay.delay": "0 s",
    }.items():
        config.set_string(key, value)
    env = StreamExecutionEnvironment.get_execution_environment(config)
    pairs = numbers_of(env).map(kill_once, output_type=Types.TUPLE([Types.LONG(), Types.LONG()]))
    pairs.key_by(lambda pair: pair[0]).sum(1).map(NoteFirst()).print()
    env.execute("killed")
    took = float((FOLDER / "first").read_text()) - float((FOLDER / "killed").read_text())
    print(f"\n{1000 * took:.1f}")


if __name__ == "__main__":
    main()
