"""Settings from outside the program: a file of them, and `-D` of the launcher.

Each new environment starts with the file's settings, then those of `-D`; what the program itself
sets comes last and wins. The file is `LEAT_CONF` or, under the launcher, `./leat.yaml`: lines of
`key: value`, with `#` before comments.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from leat._leat import Env

DEFAULT_FILE = "leat.yaml"

# Set by the launcher before the script runs.
overrides: dict[str, str] = {}
use_default_file = False
job_name: str | None = None
plan_only = False
launched = False

# What `auto` means on under the launcher, off elsewhere.
_LAUNCHER_KEYS = ("job.control", "job.status-line")


class PlanReady(BaseException):
    """Ends a script under `leat plan` where it would execute its first job.

    Carries the plan as JSON, and what a Flink cluster would refuse.
    """

    def __init__(self, plan: str, additions: list[str]) -> None:
        super().__init__("the plan is ready")
        self.plan = plan
        self.additions = additions


def file_path() -> str | None:
    """The file of settings that counts here, None without one."""
    path = os.environ.get("LEAT_CONF")
    if path:
        return path
    return DEFAULT_FILE if use_default_file and os.path.exists(DEFAULT_FILE) else None  # noqa: PTH110


def read_file(path: str) -> dict[str, str]:
    """The settings in a file. A ConfigurationError names the line that is wrong."""
    from leat.common.errors import ConfigurationError

    settings: dict[str, str] = {}
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123
            lines = file.read().splitlines()
    except (OSError, UnicodeDecodeError) as e:
        raise ConfigurationError(f"leat: {path}: cannot be read ({e}); see LEAT_CONF") from None
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#") or text == "---":
            continue
        key, colon, value = text.partition(":")
        if not colon or line[0].isspace() or (value and not value[0].isspace()):
            raise ConfigurationError(
                f"leat: {path}: line {number} is not 'key: value'; keys are written in full, "
                "such as 'parallelism.default: 4'"
            )
        settings[key.strip()] = _plain(value)
    return settings


def _plain(value: str) -> str:
    """A value without its quotes or a comment behind it."""
    text = value.strip()
    if text[:1] in ("'", '"'):
        end = text.find(text[0], 1)
        if end > 0:
            return text[1:end]
    if text.startswith("#"):
        return ""
    return text.split(" #", 1)[0].rstrip()


def apply(engine: Env) -> None:
    """Give a new environment its settings. A ConfigurationError says where a wrong one stands."""
    path = file_path()
    if path is not None:
        _set_all(engine, read_file(path), path)
    _set_all(engine, overrides, "-D")
    if launched:
        auto = [key for key in _LAUNCHER_KEYS if engine.get(key) == "auto"]
        _set_all(engine, dict.fromkeys(auto, "on"), "leat run")


def _set_all(engine: Env, settings: dict[str, str], origin: str) -> None:
    from leat.common.errors import ConfigurationError

    for key, value in settings.items():
        try:
            engine.set(key, value)
        except ValueError as e:
            raise ConfigurationError(f"leat: {origin}: {e}") from None
