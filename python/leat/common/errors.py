"""The exceptions that Leat itself raises. None of them has a counterpart in PyFlink, where errors
of the runtime arrive as Java exceptions; all of them are ordinary `Exception`s, so that a script
written for PyFlink which catches `Exception` works as before.
"""

from __future__ import annotations

__all__ = [
    "ConfigurationError",
    "JobCancelled",
    "JobError",
    "LeatError",
    "NotSupportedError",
    "RestoreError",
]


class LeatError(Exception):
    """Base of all errors that Leat raises on its own account."""


class NotSupportedError(LeatError, NotImplementedError):
    """Something that PyFlink has and this version of Leat does not, or that cannot work here.

    The message says what is missing and what to do instead.
    """

    def __init__(self, what: str, instead: str = "") -> None:
        super().__init__(f"{what}; {instead}" if instead else what)


class ConfigurationError(LeatError, ValueError):
    """A setting with an unknown key or a bad value. Names the place the setting came from."""


class JobError(LeatError):
    """A job failed. `__cause__` is the user's exception, when one was the reason.

    The text names the operator and subtask, and contains the text of the cause.
    """


class RestoreError(JobError):
    """A checkpoint or savepoint was refused: it is damaged, of another job, or older than what
    sinks have committed. Names the file or operator and says what to do.
    """


class JobCancelled(LeatError):
    """A job was cancelled before it ended, by its client or by a signal."""
