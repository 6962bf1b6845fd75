"""Asynchronous functions for tests, which workers import."""

from __future__ import annotations

import asyncio

from leat.common import Time
from leat.datastream import AsyncFunction

LONG = Time.seconds(60)


def milliseconds(n):
    return Time.milliseconds(n)


class Given(AsyncFunction):
    """Calls a coroutine function."""

    def __init__(self, call, timeout=None):
        self.call = call
        self.late = timeout

    async def async_invoke(self, value):
        return await self.call(value)

    def timeout(self, value):
        return super().timeout(value) if self.late is None else self.late(value)


async def twice(value):
    await asyncio.sleep(0)
    return [value, value]


async def slower_first(value):
    await asyncio.sleep(0.02 * (5 - value))
    return [value]


async def endless(value):
    await asyncio.Event().wait()
