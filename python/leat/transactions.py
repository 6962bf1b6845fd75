"""What the bridge calls of a `TwoPhaseCommitSinkFunction`: it keeps the sink's transactions.

One is open from the first record, or the first barrier, until the next barrier, which closes it and
begins another one. Closed ones wait for their checkpoint, each under a token drawn at random; what
the checkpoint stores is the token and the pickle. A commit by a token that is known here is that of
the very object that was closed; any other comes from before a restart.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from leat.shipping import dumps_record, loads

if TYPE_CHECKING:
    from leat.datastream.functions import SinkFunction, TwoPhaseCommitSinkFunction

_TOKEN = 16  # bytes


class Transactions:
    """The transactions of one subtask of a sink."""

    __slots__ = ("_begun", "_open", "_sink", "_waiting")

    def __init__(self, sink: TwoPhaseCommitSinkFunction) -> None:
        self._sink = sink
        self._begun = False
        self._open: Any = None
        self._waiting: dict[bytes, Any] = {}

    def open(self, exactly_once: bool) -> None:
        """The subtask begins; will its checkpoints show each record once?"""
        self._sink._exactly_once = exactly_once

    def invoke(self, value: Any, context: SinkFunction.Context) -> None:
        """A record has come."""
        if not self._begun:
            self._begin()
        self._sink.invoke(self._open, value, context)

    def prepare(self, ended: bool) -> bytes | None:
        """A barrier has come: the piece that waits for its checkpoint, None for none.

        Until all of this is done the transaction stays the open one, which `end` aborts.
        """
        if not self._begun:
            if ended:
                return None
            self._begin()
        self._sink.pre_commit(self._open)
        token = os.urandom(_TOKEN)
        piece = token + dumps_record(self._open)
        begun = None if ended else self._sink.begin_transaction()
        self._waiting[token] = self._open
        self._begun, self._open = not ended, begun
        return piece

    def commit(self, piece: bytes) -> None:
        """The checkpoint of a piece is complete; forgotten only when the sink has committed it."""
        token = piece[:_TOKEN]
        if token not in self._waiting:
            self._sink.recover_and_commit(loads(piece[_TOKEN:]))
            return
        self._sink.commit(self._waiting[token])
        del self._waiting[token]

    def snapshot(self) -> bytes | None:
        """The open transaction, which a restart has to abort; None for none."""
        return dumps_record(self._open) if self._begun else None

    def abort(self, packed: bytes) -> None:
        """A transaction that was open when the restored checkpoint was made."""
        self._sink.recover_and_abort(loads(packed))

    def end(self) -> None:
        """The subtask ends: what is open will never be committed."""
        if self._begun:
            self._begun = False
            self._sink.abort(self._open)

    def _begin(self) -> None:
        self._open = self._sink.begin_transaction()
        self._begun = True
