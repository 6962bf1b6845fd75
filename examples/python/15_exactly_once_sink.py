"""A sink of one's own that shows each number once: kill the program, and start it again.

python -m leat run -s latest examples/python/15_exactly_once_sink.py [FOLDER]
"""

import sys
import time
from pathlib import Path
from uuid import uuid4

from pyflink.common import Types, WatermarkStrategy
from pyflink.datastream import StreamExecutionEnvironment, TwoPhaseCommitSinkFunction
from pyflink.datastream.connectors.number_seq import NumberSequenceSource


class Batches(TwoPhaseCommitSinkFunction):
    """A file per checkpoint. Checkpoints store the numbers until they are in it."""

    def __init__(self, folder):
        self.folder = Path(folder)

    def begin_transaction(self):
        return {"name": uuid4().hex, "numbers": []}

    def invoke(self, transaction, value, context):
        transaction["numbers"].append(value)

    def pre_commit(self, transaction):
        pass  # the transaction is all there is, and is pickled now

    def commit(self, transaction):
        if not transaction["numbers"]:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        hidden = self.folder / f".{transaction['name']}"
        hidden.write_text("".join(f"{n}\n" for n in transaction["numbers"]))
        hidden.replace(self.folder / transaction["name"])  # a second time it is the same file

    def abort(self, transaction):
        pass  # nobody has seen anything of it


def slowly(number):
    time.sleep(0.002)
    return number


folder = sys.argv[1] if len(sys.argv) > 1 else "/tmp/leat-exactly-once"
env = StreamExecutionEnvironment.get_execution_environment()
env.enable_checkpointing(50)
env.get_checkpoint_config().set_checkpoint_storage_dir(f"{folder}/checkpoints")
numbers = env.from_source(NumberSequenceSource(1, 1000), WatermarkStrategy.no_watermarks(), "all")
numbers.map(slowly, Types.LONG()).add_sink(Batches(f"{folder}/batches")).uid("batches")
env.execute("exactly once")
files = list(Path(folder, "batches").glob("[!.]*"))
found = [int(line) for f in files for line in f.read_text().split()]
print(f"{len(found)} numbers, {len(set(found))} different ones, {sum(found)} in all")
