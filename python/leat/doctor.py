"""`python -m leat doctor`: looks for what could go wrong here, with a remedy for each."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

FILES_WANTED = 256
_JOB_SECONDS = 30.0


def examine() -> int:
    """Print a line per check; 0 when all is well, 1 when something failed."""
    checks: list[tuple[str, Callable[[], str], str]] = [
        ("Python", _python, "use Python 3.11 to 3.13"),
        ("extension", _extension, "install Leat again: pip install --force-reinstall leat"),
        ("cloudpickle", _cloudpickle, "pip install 'cloudpickle>=3.0'"),
        ("open files", _open_files, f"ulimit -n {FILES_WANTED}"),
        ("configuration", _configuration, "correct the line, or unset LEAT_CONF"),
        ("thread mode", lambda: _job("thread"), "run it with -D python.execution-mode=process"),
        (
            "process mode",
            lambda: _job("process"),
            "check that python.executable can import leat; thread mode needs no workers",
        ),
    ]
    bad = 0
    for name, check, remedy in checks:
        try:
            print(f"ok      {name}: {check()}")
        except Exception as e:
            bad += 1
            print(f"FAILED  {name}: {e or type(e).__name__}; {remedy}")
    for name, module in (("Arrow", "pyarrow"), ("Avro", "fastavro"), ("pandas", "pandas")):
        print(f"        {name}: {_optional(module)}")
    return 1 if bad else 0


def _python() -> str:
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        raise RuntimeError(f"{sys.version.split()[0]} is not supported")
    return f"{sys.version.split()[0]}, {sys.executable}"


def _extension() -> str:
    from leat import _leat
    from leat.version import __version__

    if _leat.__version__ != __version__:
        raise RuntimeError(f"the library is {_leat.__version__}, the package {__version__}")
    return f"{__version__}, {getattr(_leat, '__file__', 'built in')}"


def _cloudpickle() -> str:
    import cloudpickle

    if int(cloudpickle.__version__.split(".")[0]) < 3:
        raise RuntimeError(f"{cloudpickle.__version__} is too old")
    return str(cloudpickle.__version__)


def _open_files() -> str:
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= soft < FILES_WANTED:
        raise RuntimeError(f"only {soft} may be open at once")
    return f"{soft} may be open at once"


def _configuration() -> str:
    from leat import settings

    settings.use_default_file = True
    path = settings.file_path()
    if path is None:
        return "no file"
    from leat import _leat

    settings.apply(_leat.Env({}))
    return path


def _job(mode: str) -> str:
    import time

    from leat import _leat
    from leat.shipping import dumps, main_classes_blob

    begin = time.monotonic()
    env = _leat.Env({"python.execution-mode": mode, "parallelism.default": "1"})
    source = env.add("collection", [], {"items": _leat.encode([1, 2, 3], None)}, "Three", None, 1)
    function = ("python", dumps(_double, "Double"), "double")
    doubled = env.add("map", [source], {"function": function}, "Double", None, 1)
    collect = env.add("collect", [doubled], {}, "Collect", None, 1)
    job = env.execute("doctor", main_classes_blob())
    got: list[int] = []
    while True:
        taken = job.take(collect, 10, _JOB_SECONDS)
        if taken is None:
            break
        got += taken
        if time.monotonic() - begin > _JOB_SECONDS:
            job.cancel()
            raise RuntimeError(f"no end after {_JOB_SECONDS:.0f} s")
    job.wait(_JOB_SECONDS)
    job.result()
    if got != [2, 4, 6]:
        raise RuntimeError(f"a job of three records answered {got}")
    return f"three records in {1000 * (time.monotonic() - begin):.0f} ms"


def _double(value: int) -> int:
    return 2 * value


def _optional(module: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(module)
    except PackageNotFoundError:
        return f"not installed; pip install {module}"
