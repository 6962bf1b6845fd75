"""`TwoPhaseCommitSinkFunction`: sinks of users that show each record once; see docs/sinks.md."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from leat.datastream.functions import SinkFunction

__all__ = ["TwoPhaseCommitSinkFunction"]


class TwoPhaseCommitSinkFunction(SinkFunction):
    """A sink that shows each record once, also when its job fails and begins anew.

    PyFlink has none; it is Flink's Java class of that name. Each subtask has one transaction open.
    When a checkpoint is made, `pre_commit` makes safe what the transaction has, without showing it,
    and another one begins; when the checkpoint is complete, `commit` shows it. In a job without
    checkpoints all of this comes once, when the input has ended.

    A transaction is anything that can be pickled, since a checkpoint stores those that wait for
    their `commit`, and the one that has just begun: the records themselves if they are few, or the
    name of a file or of a transaction elsewhere. After a restart the sink, in any process and with
    any parallelism, gets copies: first `recover_and_commit` with all that waited, maybe again with
    what was committed already, then `recover_and_abort` with those that were open, then records.

    What a method raises fails the attempt; the restart strategy says what follows. Methods may
    block as `invoke` of other sinks may: other functions of the same thread wait meanwhile.
    """

    _exactly_once = False  # set when the subtask begins: there are checkpoints, and they are exact

    def __init__(self) -> None:
        super().__init__(None)

    @abstractmethod
    def begin_transaction(self) -> Any:
        """A new transaction; called for the first record, and for each checkpoint."""

    @abstractmethod
    def invoke(  # type: ignore[override] # as Flink's
        self, transaction: Any, value: Any, context: SinkFunction.Context
    ) -> None:
        """Take one value into the transaction."""

    @abstractmethod
    def pre_commit(self, transaction: Any) -> None:
        """Make safe what it has, so that `commit` succeeds in another process, too."""

    @abstractmethod
    def commit(self, transaction: Any) -> None:
        """Show what it has; a second time it must change nothing."""

    @abstractmethod
    def abort(self, transaction: Any) -> None:
        """Throw away what it has: it was open when the subtask ended."""

    def recover_and_commit(self, transaction: Any) -> None:
        """`commit` of a transaction from before a restart. May be overridden."""
        self.commit(transaction)

    def recover_and_abort(self, transaction: Any) -> None:
        """`abort` of a transaction from before a restart. May be overridden."""
        self.abort(transaction)
