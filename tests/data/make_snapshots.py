"""Makes the snapshots that tests/python/jobs/test_restore.py restores, of the format that this
Leat writes: `python tests/data/make_snapshots.py format-1`, from the repository's folder. Once,
when a format is new: what is here for an older one stays as it is.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "python" / "jobs"))

import cloudpickle  # noqa: E402
import test_restore  # noqa: E402
from leat.common import Configuration  # noqa: E402
from leat.datastream import StreamExecutionEnvironment  # noqa: E402


def make_env(parallelism: int, **settings: str) -> StreamExecutionEnvironment:
    configuration = Configuration()
    configuration.set_string("python.execution-mode", "thread")
    for key, value in settings.items():
        configuration.set_string(key, value)
    env = StreamExecutionEnvironment.get_execution_environment(configuration)
    return env.set_parallelism(parallelism)


def main() -> None:
    target = HERE / "snapshots" / sys.argv[1]
    if target.exists():
        sys.exit(f"{target}: it is there; snapshots that are kept are not made again")
    os.chdir(HERE.parents[1])
    cloudpickle.register_pickle_by_value(test_restore)
    test_restore.keep(make_env, target)


if __name__ == "__main__":
    main()
