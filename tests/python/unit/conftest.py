"""Tests of the pure Python package, with the extension module replaced by a fake."""

import importlib.util
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
PACKAGE_DIR = HERE.parents[2] / "python"
if importlib.util.find_spec("leat") is None:  # what was built goes first, for other tests need it
    sys.path.insert(0, str(PACKAGE_DIR))


@pytest.fixture
def fake(monkeypatch):
    """The fake module, in the place of leat._leat."""
    import leat

    spec = importlib.util.spec_from_file_location("fake_leat", HERE / "fake_leat.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setitem(sys.modules, "leat._leat", module)
    monkeypatch.setattr(leat, "_leat", module, raising=False)
    monkeypatch.delenv("LEAT_CONF", raising=False)
    return module


@pytest.fixture
def env(fake):
    """An environment over the fake; `env._engine` has what was built."""
    from leat.datastream import StreamExecutionEnvironment

    return StreamExecutionEnvironment.get_execution_environment()


@pytest.fixture
def python(tmp_path):
    """Runs Python on a script's text (or with arguments) in a process of its own."""
    import os
    import subprocess

    def run(source, *arguments, check=True, name="script.py", **environment):
        script = tmp_path / name
        script.write_text(source)
        command = [sys.executable, *(str(script) if a == "SCRIPT" else a for a in arguments)]
        if not arguments:
            command.append(str(script))
        environ = {**os.environ, "PYTHONPATH": str(PACKAGE_DIR), **environment}
        if "LEAT_CONF" not in environment:
            environ.pop("LEAT_CONF", None)
        done = subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            env=environ,
            cwd=tmp_path,
            timeout=60,
        )
        if check:
            assert done.returncode == 0, done.stderr
        return done

    return run
