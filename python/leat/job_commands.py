"""The launcher's commands `list`, `status` and `cancel`.

They are for the jobs of this user that listen, whatever process they run in.
"""

from __future__ import annotations

import sys

from leat.cli import UsageError

SECONDS = {"status": 5.0, "cancel": 60.0}
_LONGEST = 1e6


def run(command: str, arguments: list[str]) -> int:
    """Print what the command answers; the exit code. A UsageError for what makes no sense."""
    from leat import _leat

    json, seconds, names = _parse(command, arguments)
    try:
        if command == "list":
            answer = _leat.control_list(json)
        else:
            answer = _leat.control_ask(names[0], command, json, max(1, int(seconds * 1000)))
    except RuntimeError as e:
        print(f"leat: {e}", file=sys.stderr)
        return 1
    print(answer, end="")
    return 0


def _parse(command: str, arguments: list[str]) -> tuple[bool, float, list[str]]:
    """Whether JSON is wanted, for how long to wait, and the names of jobs."""
    json, seconds, names = False, SECONDS.get(command, 0.0), []
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if word == "--json":
            json = True
        elif command != "list" and (word == "--timeout" or word.startswith("--timeout=")):
            seconds = _seconds(word[10:] if "=" in word else rest.pop(0) if rest else "")
        elif word.startswith("-"):
            raise UsageError(f"there is no option {word!r}")
        else:
            names.append(word)
    if command == "list" and names:
        raise UsageError("list takes no JOB; 'status JOB' tells of one")
    if command != "list" and (len(names) != 1 or not names[0]):
        raise UsageError(
            f"{command}: one JOB is needed, by its name or the beginning of its id; 'list' shows "
            "which there are"
        )
    return json, seconds, names


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= _LONGEST:
        raise UsageError("--timeout: a number of SECONDS is needed")
    return seconds
