"""THREAD mode: a function that does not come back is interrupted, and then left alone, fenced."""

import re

import pytest

STUCK = """
def stuck(x):
    open("stuck", "w").close()
    {deed}
    return x

class Closing(MapFunction):
    def map(self, x):
        return stuck(x)

    def close(self):
        say("CLOSED")

env = make_env(1, **{{"python.execution-mode": "thread", "task.cancellation.timeout": "{timeout}"}})
env.from_collection([1]).map(Closing()).name("Sticky").print()
job = env.execute_async("job")
wait_for(lambda: os.path.exists("stuck"))
begin = time.monotonic()
job.cancel()
try:
    job.get_job_execution_result().result()
except Exception as e:
    say("ENDED", type(e).__name__, e)
say("TOOK", time.monotonic() - begin)
"""


def took(result):
    return float(re.search(r"TOOK ([\d.]+)", result.err)[1])


@pytest.mark.parametrize(
    "deed",
    [
        "while True: pass",
        "while True: time.sleep(0.01)",
        "wait_for(lambda: False, 1000)",
    ],
)
def test_python_loop_is_interrupted(run, deed):
    result = run(STUCK.format(deed=deed, timeout="20 s"))
    assert took(result) < 2, result.err
    assert "CLOSED" in result.err
    assert "did not return" not in result.err
    assert result.code == 0


def test_cleanup_of_an_interrupted_function_runs_to_its_end(run):
    deed = """
    try:
        while True: time.sleep(0.001)
    finally:
        end = time.monotonic() + 0.6
        while time.monotonic() < end: pass
        say("CLEANED")"""
    result = run(STUCK.format(deed=deed, timeout="20 s"))
    assert "CLEANED" in result.err, result.err
    assert took(result) < 3


def test_blocked_call_is_left_alone_after_the_time_limit(run):
    result = run(STUCK.format(deed="time.sleep(1000)", timeout="1 s"))
    assert 0.9 < took(result) < 2.5, result.err
    assert re.search(
        r"leat: .*Sticky.*: the function did not return within 1000 ms after the job's end "
        r"\(task.cancellation.timeout\); it is left to itself",
        result.err,
    ), result.err
    assert result.code == 0  # the process ends all the same
    assert result.seconds < 8


def test_other_jobs_run_beside_a_fenced_function(run):
    result = run(
        STUCK.format(deed="time.sleep(1000)", timeout="500 ms")
        + """
env = make_env(1, **{"python.execution-mode": "thread"})
print(sum(env.from_collection(range(100)).map(lambda x: x + 1).execute_and_collect()))
"""
    )
    assert result.out == "5050\n", result.err
    assert result.code == 0


def test_failure_elsewhere_interrupts_a_busy_function(run):
    result = run(
        """
def busy_or_bad(x):
    if x == 1:
        open("busy", "w").close()
        while True: pass
    wait_for(lambda: os.path.exists("busy"))
    raise ValueError("enough")

env = make_env(2, **{"python.execution-mode": "thread", "python.thread.runners": 2})
env.from_collection([1, 2]).set_parallelism(1).rebalance().map(busy_or_bad).print()
begin = time.monotonic()
try:
    env.execute("job")
except Exception as e:
    say("FAILED", e)
say("TOOK", time.monotonic() - begin)
"""
    )
    assert "ValueError: enough" in result.err, result.err
    assert took(result) < 3


def test_no_attempt_begins_beside_a_fenced_function(run):
    result = run(
        """
def stuck_or_failing(x):
    if x == 1:
        open("stuck", "w").close()
        time.sleep(1000)
    wait_for(lambda: os.path.exists("stuck"))
    raise ValueError("now")

env = make_env(2, **{"python.execution-mode": "thread", "task.cancellation.timeout": "500 ms",
                     "python.thread.runners": "2", "restart-strategy.type": "fixed-delay",
                     "restart-strategy.fixed-delay.delay": "0"})
env.from_collection([0, 1]).rebalance().map(stuck_or_failing).print()
job = env.execute_async("job")
try:
    job.get_job_execution_result().result()
except Exception as e:
    say("ENDED", e)
say("ATTEMPTS", len(job.get_attempts().result()))
"""
    )
    assert "the job was not restarted: a function of this attempt has not returned" in result.err
    assert "PROCESS mode can" in result.err
    assert "ATTEMPTS 1" in result.err, result.err
    assert result.code == 0
