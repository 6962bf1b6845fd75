"""Asks a service about each order: many questions at a time, with a limit, and again after errors.

    python -m leat run examples/python/10_async_calls.py

The service is a server of this program's own, which answers one line for one line, and now and then
closes the connection instead. In PROCESS mode it runs in each worker, in THREAD mode here.
"""

import asyncio

from pyflink.common import Time
from pyflink.datastream import (
    AsyncDataStream,
    AsyncFunction,
    AsyncRetryStrategy,
    StreamExecutionEnvironment,
)
from pyflink.datastream.async_retry_predicates import has_exception_predicate

ORDERS = ["tea", "salt", "bread", "moonlight"]
PRICES = {"tea": 4, "salt": 1, "bread": 2}


class AskThePrice(AsyncFunction):
    """The price of what was ordered."""

    def open(self, runtime_context):
        self.service = None
        self.refused = set()

    async def async_invoke(self, value):
        if self.service is None:
            self.service = asyncio.ensure_future(asyncio.start_server(self.serve, "127.0.0.1", 0))
        server = await self.service
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(f"{value}\n".encode())
        answer = (await reader.readline()).decode().strip()
        writer.close()
        if not answer:
            raise ConnectionError("no answer")
        return [f"{value} costs {answer}"]

    def timeout(self, value):
        return [f"nobody knows what {value} costs"]

    async def serve(self, reader, writer):
        """Closes the first connection for each question, and never answers some."""
        question = (await reader.readline()).decode().strip()
        if question in self.refused and question in PRICES:
            writer.write(f"{PRICES[question]}\n".encode())
        elif question in self.refused:
            await asyncio.sleep(60)
        self.refused.add(question)
        writer.close()


def main():
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(1)
    orders = env.from_collection(ORDERS)
    again = AsyncRetryStrategy.fixed_delay(3, 10, None, has_exception_predicate)
    prices = AsyncDataStream.ordered_wait_with_retry(
        orders, AskThePrice(), Time.seconds(2), again, capacity=10
    )
    prices.print()
    env.execute("prices")


if __name__ == "__main__":
    main()
