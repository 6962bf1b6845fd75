"""Tests of the extension module: of its parts by their hooks, and by small jobs in both modes."""

import pytest


@pytest.fixture(params=["thread", "process"])
def env(request):
    """An environment of parallelism 1 in one of the execution modes."""
    from leat.common import Configuration
    from leat.datastream import StreamExecutionEnvironment

    configuration = Configuration()
    configuration.set_string("python.execution-mode", request.param)
    env = StreamExecutionEnvironment.get_execution_environment(configuration)
    env.set_parallelism(1)
    return env


@pytest.fixture
def thread_env():
    """An environment of parallelism 1 whose functions run in this process."""
    from leat.common import Configuration
    from leat.datastream import StreamExecutionEnvironment

    configuration = Configuration()
    configuration.set_string("python.execution-mode", "thread")
    env = StreamExecutionEnvironment.get_execution_environment(configuration)
    env.set_parallelism(1)
    return env


@pytest.fixture
def results():
    """Runs the job of a stream and answers what it gave, as a list."""
    return lambda stream: list(stream.execute_and_collect("test"))
