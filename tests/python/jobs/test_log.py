"""Where the lines of the library's log go in Python programs."""

from __future__ import annotations

SETTING = """
from pyflink.common import Configuration
from pyflink.datastream import StreamExecutionEnvironment
{set_up}
configuration = Configuration()
configuration.set_string("state.backend.type", "rocksdb")
env = StreamExecutionEnvironment.get_execution_environment(configuration)
env.from_collection([1]).print()
env.execute()
{after}
"""
LINE = "configuration: state.backend.type changes nothing"


def test_warnings_go_to_stderr_when_logging_is_not_set_up(leat_run):
    for set_up in ("", "import logging"):
        done = leat_run(SETTING.format(set_up=set_up, after=""))
        assert done.returncode == 0
        assert done.stderr.startswith(f"leat: {LINE}")
        assert done.stderr.count(LINE) == 1


def test_lines_go_to_the_logger_of_the_package(leat_run):
    set_up = "import logging; logging.basicConfig(format='%(name)s|%(levelname)s|%(message)s')"
    done = leat_run(SETTING.format(set_up=set_up, after=""))
    assert done.stderr.startswith(f"leat|WARNING|{LINE}")
    assert done.stderr.count(LINE) == 1


def test_logger_that_is_silent_says_nothing(leat_run):
    set_up = "import logging; logging.getLogger('leat').setLevel(logging.ERROR)"
    assert leat_run(SETTING.format(set_up=set_up, after="")).stderr == ""


def test_handler_that_raises_does_no_harm(leat_run):
    set_up = """
import logging

class Broken(logging.Handler):
    def handle(self, record):
        raise RuntimeError("broken handler")

logging.getLogger("leat").addHandler(Broken())
"""
    done = leat_run(SETTING.format(set_up=set_up, after="print('done')"))
    assert (done.returncode, done.stdout.split()[-1]) == (0, "done")
    assert "broken handler" in done.stderr


def test_signal_while_a_line_is_written_is_not_lost(leat_run):
    set_up = """
import logging, os, signal

class Interrupted(logging.Handler):
    def handle(self, record):
        os.kill(os.getpid(), signal.SIGINT)
        print("still in it")

logging.getLogger("leat").addHandler(Interrupted())
"""
    done = leat_run(SETTING.format(set_up=set_up, after="print('done')"))
    assert (done.returncode, done.stdout) == (130, "")
