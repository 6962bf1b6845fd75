"""The launcher's commands `list`, `status`, `cancel`, `savepoint` and `stop`.

They are for the jobs of this user that listen, whatever process they run in.
"""

from __future__ import annotations

import os
import sys

from leat.cli import UsageError

SECONDS = {"status": 5.0, "cancel": 60.0, "savepoint": 600.0, "stop": 600.0}
_LONGEST = 1e6


def run(command: str, arguments: list[str]) -> int:
    """Print what the command answers; the exit code. A UsageError for what makes no sense."""
    from leat import _leat

    options = _Options(command)
    words = options.read(list(arguments))
    try:
        if command == "list":
            answer = _leat.control_list(options.json)
        else:
            request = " ".join(["drain" if options.drain else command, *map(_absolute, words[1:])])
            milliseconds = max(1, int(options.seconds * 1000))
            answer = _leat.control_ask(words[0], request, options.json, milliseconds)
    except RuntimeError as e:
        print(f"leat: {e}", file=sys.stderr)
        return 1
    print(answer, end="")
    return 0


def _absolute(folder: str) -> str:
    """The job may run in another folder: the one that is meant here."""
    return folder if "://" in folder else os.path.join(os.getcwd(), folder)  # noqa: PTH109, PTH118


class _Options:
    """What stands between a command and its JOB."""

    def __init__(self, command: str) -> None:
        self.command = command
        self.json = self.drain = False
        self.seconds = SECONDS.get(command, 0.0)

    def read(self, rest: list[str]) -> list[str]:
        """The words that are no options: the JOB, and a folder where there may be one."""
        words: list[str] = []
        while rest:
            word = rest.pop(0)
            name, equals, value = word.partition("=")
            if word == "--json":
                self.json = True
            elif word == "--drain" and self.command == "stop":
                self.drain = True
            elif name == "--timeout" and self.command != "list":
                self.seconds = _seconds(value if equals else rest.pop(0) if rest else "")
            elif word.startswith("-"):
                raise UsageError(f"there is no option {word!r}")
            else:
                words.append(word)
        self._check(words)
        return words

    def _check(self, words: list[str]) -> None:
        if self.command == "list":
            if words:
                raise UsageError("list takes no JOB; 'status JOB' tells of one")
            return
        more = self.command in ("savepoint", "stop")
        if not 1 <= len(words) <= 1 + more or not words[0]:
            raise UsageError(
                f"{self.command}: one JOB is needed, by its name or the beginning of its id"
                f"{', and a folder at most' if more else ''}; 'list' shows which there are"
            )


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= _LONGEST:
        raise UsageError("--timeout: a number of SECONDS is needed")
    return seconds
