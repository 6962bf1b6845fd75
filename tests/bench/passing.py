"""The Python function of push_latency.c."""


def value(x: int) -> int:
    return x
