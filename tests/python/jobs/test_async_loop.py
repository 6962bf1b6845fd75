"""Asynchronous functions: what asyncio offers, and what is left of calls at the end."""

from __future__ import annotations

import asyncio
import contextvars
import sys
import threading
import time

import pytest
from async_given import LONG, Given, endless, milliseconds, slower_first
from leat.common.errors import JobError
from leat.datastream import AsyncDataStream, AsyncFunction, DataStream, OutputTag, ProcessFunction
from leat.datastream.node import shipped
from leat.event_loop import EventLoop

# --- what asyncio offers --------------------------------------------------------------------------


def test_sockets(env, results):
    class Asking(AsyncFunction):
        """Asks a server that runs in the same loop."""

        async def answer(self, reader, writer):
            line = await reader.readline()
            writer.write(line.upper())
            await writer.drain()
            writer.close()

        async def async_invoke(self, value):
            server = await asyncio.start_server(self.answer, "127.0.0.1", 0)
            port = server.sockets[0].getsockname()[1]
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(f"{value}\n".encode())
            line = await reader.readline()
            writer.close()
            server.close()
            return [line.decode().strip()]

    stream = env.from_collection(["a", "b", "c"])
    assert results(AsyncDataStream.ordered_wait(stream, Asking(), LONG)) == ["A", "B", "C"]


def test_threads(env, results):
    def block(value):
        time.sleep(0.02)
        return threading.current_thread().name != "leat-python", value

    async def in_threads(value):
        loop = asyncio.get_running_loop()
        one, two = await asyncio.gather(
            asyncio.to_thread(block, value), loop.run_in_executor(None, block, -value)
        )
        return [one, two]

    stream = env.from_collection([1, 2])
    found = results(AsyncDataStream.ordered_wait(stream, Given(in_threads), LONG))
    assert found == [(True, 1), (True, -1), (True, 2), (True, -2)]


def test_context_variables_belong_to_a_call(env, results):
    async def call(value):
        variable = call.__dict__.setdefault("variable", contextvars.ContextVar("v", default=0))
        variable.set(variable.get() + value)
        await asyncio.sleep(0.001)
        return [variable.get()]

    stream = env.from_collection([1, 2, 3])
    assert results(AsyncDataStream.ordered_wait(stream, Given(call), LONG)) == [1, 2, 3]


def test_calls_know_their_task_and_loop(env, results):
    async def call(value):
        async with asyncio.timeout(20):
            await asyncio.sleep(0)
        task = asyncio.current_task()
        return [task in asyncio.all_tasks() and asyncio.get_running_loop().is_running()]

    assert results(AsyncDataStream.ordered_wait(env.from_collection([1]), Given(call), LONG)) == [
        True
    ]


@pytest.mark.parametrize("parallelism", [1, 3])
def test_several_operators_share_a_loop(make_env, results, parallelism):
    async def loop_of(value):
        await asyncio.sleep(0.001)
        return [(value, id(asyncio.get_running_loop()))]

    async def same_loop(pair):
        await asyncio.sleep(0.001)
        return [(pair[0], pair[1] == id(asyncio.get_running_loop()))]

    env = make_env(parallelism, **{"python.worker.pool-size": "1", "python.thread.runners": "2"})
    stream = AsyncDataStream.unordered_wait(
        env.from_collection(list(range(20))), Given(loop_of), LONG
    )
    both = AsyncDataStream.ordered_wait(stream.map(lambda p: p), Given(same_loop), LONG, 3)
    assert sorted(results(both)) == [(n, True) for n in range(20)]


def test_a_side_output_of_the_next_operator(env, results):
    tag = OutputTag("odd")

    class Split(ProcessFunction):
        def process_element(self, value, ctx):
            yield (tag, value) if value % 2 else value

    stream = AsyncDataStream.ordered_wait(env.from_collection([1, 2, 3]), Given(slower_first), LONG)
    assert results(stream.process(Split()).get_side_output(tag)) == [1, 3]


def test_a_function_as_a_program_in_c_names_it(env, results):
    node = env.from_collection([1, 2])._node
    function = shipped(Given(slower_first), AsyncFunction, "Ask")
    calls = node.then("async", {"function": function, "ordered": 1, "capacity": 5}, "Ask")
    assert results(DataStream(calls)) == [1, 2]


@pytest.mark.parametrize("parallelism", [1, 3])
def test_calls_in_a_loop(make_env, results, parallelism):
    async def less(value):
        await asyncio.sleep(0.001)
        return [value - 1]

    loop = make_env(parallelism).from_collection([3, 5]).iterate()
    calls = AsyncDataStream.unordered_wait(loop, Given(less), LONG)
    loop.close_with(calls.filter(lambda v: v > 0))
    assert sorted(results(calls)) == [0, 0, 1, 1, 2, 2, 3, 4]


# --- ends -----------------------------------------------------------------------------------------

ENDS = """
import asyncio, gc, logging, sys, time
from leat.common import Time
from leat.datastream import AsyncDataStream, AsyncFunction, StreamExecutionEnvironment

def say(text):
    print(text, file=sys.stderr, flush=True)

async def ticks(name):
    try:
        while True:
            yield 1
            await asyncio.sleep(0.001)
    finally:
        say(name + " closed")

async def left_behind():
    try:
        await asyncio.sleep(1000)
    finally:
        await asyncio.sleep(0.01)
        say("task cleaned up")

class Leaving(AsyncFunction):
    async def async_invoke(self, value):
        self.task = asyncio.create_task(left_behind())
        self.ticks = ticks("generator")
        await anext(self.ticks)
        {deed}
        return [value]

    def close(self):
        say("closed")

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
stream = AsyncDataStream.ordered_wait(env.from_collection([1]), Leaving(), Time.seconds(0))
"""


def test_nothing_is_left_behind_at_the_end(leat_run):
    result = leat_run(ENDS.format(deed="pass") + "print(list(stream.execute_and_collect()))\n")
    assert result.stdout == "[1]\n", result.stderr
    said = sorted(result.stderr.splitlines())
    assert said == ["closed", "generator closed", "task cleaned up"]


def test_a_call_that_never_ends_is_cancelled_with_the_job(leat_run, tmp_path, mode):
    script = ENDS.format(deed="open('asked', 'w').close(); await asyncio.Event().wait()")
    script += """
import os
stream.print()
job = env.execute_async()
while not os.path.exists("asked"):
    time.sleep(0.005)
begin = time.monotonic()
job.cancel()
try:
    job.get_job_execution_result().result()
except Exception as e:
    print(type(e).__name__, time.monotonic() - begin < 5)
"""
    result = leat_run(script)
    assert result.stdout == "JobCancelled True\n", result.stderr
    assert "destroyed" not in result.stderr
    assert "Traceback" not in result.stderr
    if mode == "thread":
        said = sorted(result.stderr.splitlines())
        assert said == ["closed", "generator closed", "task cleaned up"]


def test_a_failure_elsewhere_cancels_the_calls(env, results):
    def odd(value):
        raise ValueError("enough")

    stream = env.from_collection([1, 2])
    calls = AsyncDataStream.ordered_wait(stream, Given(endless), milliseconds(0))
    both = calls.union(stream.map(odd))
    with pytest.raises(JobError, match="enough"):
        results(both)


def test_a_call_that_swallows_its_cancellation(leat_run, mode):
    script = ENDS.format(deed="await self.stubborn()") + "\n"
    script = script.replace(
        "    def close(self)",
        """    async def stubborn(self):
        while True:
            try:
                await asyncio.sleep(1000)
            except asyncio.CancelledError:
                pass

    def timeout(self, value):
        return ["late"]

    def close(self)""",
    ).replace("Time.seconds(0)", "Time.milliseconds(20)")
    result = leat_run(script + "print(list(stream.execute_and_collect()))\n")
    assert result.stdout == "['late']\n", result.stderr
    assert "destroyed" not in result.stderr
    assert "did not end within 2 s after it was cancelled" in result.stderr


def test_a_blocking_call_is_interrupted_with_the_job(leat_run, mode):
    script = ENDS.format(deed="open('asked', 'w').close(); self.block()").replace(
        "    def close(self)",
        """    def block(self):
        while True:
            time.sleep(0.01)

    def close(self)""",
    )
    script += """
import os
stream.name("Blocking").print()
job = env.execute_async()
while not os.path.exists("asked"):
    time.sleep(0.005)
begin = time.monotonic()
job.cancel()
try:
    job.get_job_execution_result().result()
except Exception as e:
    print(type(e).__name__, time.monotonic() - begin < 10)
"""
    result = leat_run(script)
    assert result.stdout == "JobCancelled True\n", result.stderr
    assert "did not return" not in result.stderr


def test_an_interrupt_ends_the_wait_for_what_cleans_up(caplog):
    """The library interrupts a thread that holds the end of a job up: by a SystemExit."""

    async def cleans_up_for_ever():
        try:
            await asyncio.sleep(1000)
        finally:
            await asyncio.sleep(1000)

    loop = EventLoop()
    task = loop.create_task(cleans_up_for_ever())
    loop.step()
    task.cancel()
    began = time.monotonic()
    asyncio.get_event_loop().call_soon(sys.exit)
    loop.settle([task])
    asyncio.get_event_loop().call_soon(sys.exit)
    loop.close()
    assert time.monotonic() - began < 1
    assert "is abandoned" in caplog.text
    assert task.cancelling()
