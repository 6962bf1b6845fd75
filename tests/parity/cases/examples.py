"""The examples under `examples/python` that PyFlink can run, as they are: what they print.

The others are Leat's alone: 03 sums windows, 07, 08 and 11 have joins and loops, which PyFlink's
Python API lacks; 02 and 05 want a watermark after each record, by a key of Leat's; 13 is written
for the sink of an older PyFlink; 14 and 15 are started from their own checkpoints.
"""

import runpy
import sys
from pathlib import Path

from parity_case import Family, written_lines
from pyflink.datastream import StreamExecutionEnvironment

family = Family()

EXAMPLES = Path(__file__).resolve().parents[3] / "examples" / "python"
SCRIPTS = (
    "01_word_count",
    "04_sessions",
    "06_custom_trigger",
    "09_broadcast_state",
    "10_async_calls",
    "12_batch",
)


@family.each({name: name for name in SCRIPTS})
def example(env, name):
    ways = StreamExecutionEnvironment.get_execution_environment
    StreamExecutionEnvironment.get_execution_environment = staticmethod(lambda *_: env)
    arguments, sys.argv = sys.argv, [f"{name}.py"]
    try:
        with written_lines() as lines:
            runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
    finally:
        StreamExecutionEnvironment.get_execution_environment = ways
        sys.argv = arguments
    return lines
