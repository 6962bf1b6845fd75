"""The launcher's Python half: `python -m leat run SCRIPT` and its relatives.

Exit codes: 0 finished, 1 failed, 2 usage or configuration, 3 refused to restore, 130 and 143
cancelled by Ctrl-C and SIGTERM. Standard output belongs to the script, messages go to standard
error.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

USAGE = """\
usage: python -m leat COMMAND ...

  run [-D KEY=VALUE ...] [--job-name NAME] [-s PATH] [--quiet] SCRIPT [ARGUMENT ...]
                 run a script written for PyFlink (or Leat); jobs that still run at its end are
                 waited for; --quiet: without the status line on the terminal
      -s, --fromSavepoint PATH|latest  start from a checkpoint or savepoint; latest: from the
                 newest checkpoint of this job, or afresh when there is none
      -n, --allow-non-restored-state   leave out state of operators that are gone
      --allow-older                    although sinks may have committed more than it has
  plan [-D KEY=VALUE ...] SCRIPT [ARGUMENT ...]
                 print the plan of the script's first job as JSON, and what a Flink cluster would
                 refuse of it
  list [--json]  list the jobs of this user that run under 'leat run', in any terminal
  status [--json] [--timeout SECONDS] JOB
                 tell how a job stands; JOB is its name or the beginning of its id
  cancel [--json] [--timeout SECONDS] JOB
                 end a job without finishing it, and wait for its end (60 s)
  savepoint [--json] [--timeout SECONDS] JOB [DIR]
                 make a savepoint of a job in that folder; the job goes on
  stop [--drain] [--json] [--timeout SECONDS] JOB [DIR]
                 make a savepoint and end the job with it; --drain: its sources end first, so
                 that windows and timers fire
  checkpoint inspect|list [--json] PATH
                 show what a checkpoint has, after all of it was checked, or which a job has
  config         print all configuration keys
  doctor         look for what could go wrong on this machine
  help           print this
  --version      print the version

Settings come from LEAT_CONF or ./leat.yaml ('key: value' per line), then from -D, then from the
script; the last one wins.
"""

FINISHED, FAILED, USAGE_ERROR, NOT_RESTORED, INTERRUPTED, TERMINATED = 0, 1, 2, 3, 130, 143
_RECOVERY = "execution.state-recovery."
_FLAGS = {
    "-n": _RECOVERY + "ignore-unclaimed-state",
    "--allowNonRestoredState": _RECOVERY + "ignore-unclaimed-state",
    "--allow-non-restored-state": _RECOVERY + "ignore-unclaimed-state",
    "--allow-older": _RECOVERY + "allow-older",
}
_PATH_OPTIONS = ("-s", "--fromSavepoint", "--from-savepoint")
_PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep  # noqa: PTH100, PTH120


class UsageError(Exception):
    """What was typed makes no sense."""


class _Terminated(BaseException):
    """SIGTERM arrived."""


def main(arguments: list[str]) -> int:
    """Run the launcher with these arguments (without the program's name); the exit code."""
    command, rest = (arguments[0], arguments[1:]) if arguments else ("help", [])
    try:
        if command == "run":
            return _run(rest)
        if command == "plan":
            return _plan(rest)
        if command == "checkpoint":
            return _checkpoint(rest)
        if command in ("list", "status", "cancel", "savepoint", "stop"):
            from leat import job_commands

            return job_commands.run(command, rest)
        if command in ("config", "doctor", "help", "-h", "--help", "--version", "-V"):
            if rest:
                raise UsageError(f"{command} takes no arguments")
            return _show(command)
        raise UsageError(f"there is no command {command!r}")
    except UsageError as e:
        _say(f"leat: {e}; 'python -m leat help' tells what there is")
        return USAGE_ERROR


def _checkpoint(arguments: list[str]) -> int:
    from leat import _leat

    json = "--json" in arguments
    words = [a for a in arguments if a != "--json"]
    if len(words) != 2 or words[0] not in ("inspect", "list"):
        raise UsageError("checkpoint: say 'checkpoint inspect PATH' or 'checkpoint list FOLDER'")
    try:
        print(_leat.look_into(words[0], words[1], json), end="")
    except (OSError, RuntimeError) as e:
        _say(f"leat: {e}")
        return FAILED
    return FINISHED


def _show(command: str) -> int:
    if command in ("--version", "-V"):
        from leat.version import __version__

        print(f"leat {__version__}")
    elif command == "config":
        return _print_config()
    elif command == "doctor":
        from leat.doctor import examine

        return examine()
    else:
        print(USAGE, end="")
    return FINISHED


def parse(arguments: list[str]) -> tuple[dict[str, str], str | None, list[str]]:
    """Settings of `-D`, the job's name, and the script with what follows it, untouched."""
    overrides: dict[str, str] = {}
    job_name = None
    rest = list(arguments)
    while rest and rest[0].startswith("-") and rest[0] != "-":
        option = rest.pop(0)
        if option == "--":
            break
        if option.startswith("-D"):
            text = option[2:] or (rest.pop(0) if rest else "")
            key, equals, value = text.partition("=")
            if not equals or not key:
                raise UsageError(f"-D {text}: KEY=VALUE is needed")
            overrides[key] = value
        elif option == "--quiet":
            overrides["job.status-line"] = "off"
        elif option == "--job-name" or option.startswith("--job-name="):
            job_name = option[11:] if "=" in option else (rest.pop(0) if rest else "")
            if not job_name:
                raise UsageError("--job-name: a NAME is needed")
        elif option in _FLAGS:
            overrides[_FLAGS[option]] = "true"
        elif option.split("=")[0] in _PATH_OPTIONS:
            name, equals, path = option.partition("=")
            path = path if equals else (rest.pop(0) if rest else "")
            if not path:
                raise UsageError(
                    f"{name}: the PATH of a checkpoint or savepoint is needed, or latest"
                )
            overrides[_RECOVERY + "path"] = path
        else:
            raise UsageError(f"there is no option {option!r}")
    if not rest:
        raise UsageError("a SCRIPT is needed")
    return overrides, job_name, rest


def _run(arguments: list[str]) -> int:
    from leat import jobs, settings, terminal

    settings.overrides, settings.job_name, command = parse(arguments)
    settings.use_default_file = True
    settings.launched = True
    jobs.whole_lines = True
    if sys.stderr is not None and sys.stderr.isatty():
        terminal.share()

    def run() -> int:
        code = _guarded(command)
        if code == FINISHED and jobs.idle_sinks:
            _say(
                f"leat: {command[0]}: sinks were added, but no job was executed; call env.execute()"
            )
        return _await_jobs(code)

    return _until_signal(run)


def _plan(arguments: list[str]) -> int:
    from leat import settings

    settings.overrides, settings.job_name, command = parse(arguments)
    settings.use_default_file = True
    settings.plan_only = True
    try:
        code = _until_signal(lambda: _guarded(command))
    except settings.PlanReady as ready:
        print(ready.plan)
        for addition in ready.additions:
            _say(f"leat: plan: a Flink cluster would refuse {addition}; it is Leat's own")
        return FINISHED
    if code == FINISHED:
        _say(f"leat: plan: {command[0]} executes no job; there is nothing to plan")
        return FAILED
    return code


def _until_signal(run: Callable[[], int]) -> int:
    """The exit code that `run` answers, or that of the signal that ends it."""
    try:
        return run()
    except KeyboardInterrupt:
        return _cancel(INTERRUPTED)
    except _Terminated:
        return _cancel(TERMINATED)


def _guarded(command: list[str]) -> int:
    """Run a script; the exit code that its end stands for, after its message."""
    from leat import settings
    from leat.common.errors import ConfigurationError, JobCancelled, RestoreError

    _catch_sigterm()
    try:
        run_script(command[0], command)
    except SystemExit as e:
        return _exit_code(e)
    except (settings.PlanReady, UsageError, KeyboardInterrupt, _Terminated):
        raise
    except JobCancelled as e:  # by another terminal: the script has done nothing wrong
        _say(f"leat: {e}")
        return INTERRUPTED
    except BaseException as e:
        report(e)
        if isinstance(e, ConfigurationError):
            return USAGE_ERROR
        if isinstance(e, RestoreError):
            return NOT_RESTORED
        return FAILED
    return FINISHED


def run_script(path: str, argv: list[str]) -> None:
    """Run a file as the module `__main__`, as `python FILE` would, with `pyflink` being Leat.

    Its folder is first in `sys.path`, `argv` is its `sys.argv`. What it raises goes to the caller.
    """
    import types

    import leat.as_pyflink  # noqa: F401 - the import is what it is for

    try:
        with open(path, "rb") as file:  # noqa: PTH123
            source = file.read()
    except OSError as e:
        raise UsageError(f"{path}: cannot be read ({e.strerror})") from None
    main_module = types.ModuleType("__main__")
    main_module.__file__ = path
    main_module.__dict__.update(__builtins__=__builtins__, __cached__=None, __package__=None)
    _put_first(os.path.dirname(os.path.realpath(path)))  # noqa: PTH120
    sys.path.insert(1, _PACKAGE + "alias")  # multiprocessing gives its processes no more than this
    sys.argv = list(argv)
    sys.modules["__main__"] = main_module
    code = compile(source, path, "exec", dont_inherit=True)
    exec(code, main_module.__dict__)


def _put_first(folder: str) -> None:
    """Make `folder` the first to search, in place of the one that `-m` put there."""
    came_by_m = not sys.flags.safe_path and sys.path and sys.path[0] in ("", os.getcwd())  # noqa: PTH109
    replaced = sys.path.pop(0) if came_by_m else None
    sys.path.insert(0, folder)
    home = os.path.dirname(_PACKAGE[:-1])  # noqa: PTH120
    if replaced is not None and os.path.abspath(replaced) == home and home not in sys.path:  # noqa: PTH100
        sys.path.append(home)  # Leat itself was found there, and workers must find it, too


def _await_jobs(code: int) -> int:
    """Wait for jobs that the script left running, and tell of those that did not end well.

    Answers `code`, unless it is 0: then the code of the first such job.
    """
    from leat import jobs
    from leat.common.errors import JobCancelled, RestoreError

    for job in jobs.unsettled():
        while not job.wait(3600.0):
            pass
        try:
            job.result()
        except JobCancelled as e:
            if not job.cancelled:  # else by the script, which knows what it does
                _say(f"leat: {e}")
                code = code or INTERRUPTED
        except Exception as e:
            report(e)
            code = code or (NOT_RESTORED if isinstance(e, RestoreError) else FAILED)
    return code


def _cancel(code: int) -> int:
    """Cancel all jobs and wait for their end; the next signal kills."""
    import signal

    from leat import jobs

    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if jobs.running():
        _say("leat: cancelling; once more kills")
        if not jobs.cancel_all(60.0):
            _say("leat: a job does not end; leaving it behind")
    return code


def _catch_sigterm() -> None:
    import signal

    signal.signal(signal.SIGTERM, _on_terminate)
    with contextlib.suppress(ImportError):  # the script will meet it where it matters
        from leat import _leat

        _leat.own_sigterm()


def _on_terminate(number: int, frame: FrameType | None) -> None:
    raise _Terminated


def _exit_code(end: SystemExit) -> int:
    """What `python SCRIPT` would exit with."""
    if end.code is None:
        return FINISHED
    if isinstance(end.code, int):
        return end.code
    _say(str(end.code))
    return FAILED


def report(error: BaseException) -> None:
    """Print an error with its causes, in traceback's form, but without Leat's own frames."""
    from leat.tracebacks import format_exception

    sys.stdout.flush()
    sys.stderr.write("".join(format_exception(error)))
    sys.stderr.flush()


def _print_config() -> int:
    from leat import _leat

    for key, default, kind, status, doc in _leat.config_keys():
        print(f"{key}: {default}" if default else f"{key}:")
        print(f"    {kind}, {status}. {doc}")
    return FINISHED


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
