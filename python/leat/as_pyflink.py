"""After `import leat.as_pyflink`, `import pyflink` and everything below it mean Leat's modules.

`pyflink.datastream.functions` is then the same module object as `leat.datastream.functions`, so
that classes exist once. An installed PyFlink is not touched, and not found, in this process; if one
was imported before, importing this is an ImportError.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

_ALIAS = "pyflink"
_REAL = "leat"


class _Finder:
    """Finds `pyflink...` as `leat...`."""

    @staticmethod
    def find_spec(
        fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != _ALIAS and not fullname.startswith(_ALIAS + "."):
            return None
        real = _REAL + fullname[len(_ALIAS) :]
        if real not in sys.modules and PathFinder.find_spec(real, path) is None:
            from leat.version import __version__

            raise ModuleNotFoundError(
                f"No module named {fullname!r}: Leat {__version__} stands in for PyFlink here and "
                "does not have this part of it yet",
                name=fullname,
            )
        return ModuleSpec(fullname, _Loader(real))  # type: ignore[arg-type]


class _Loader:
    """Hands out a module of Leat's as it is."""

    def __init__(self, real: str) -> None:
        self._real = real
        self._spec: ModuleSpec | None = None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = import_module(self._real)
        self._spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._spec  # the import system has just put the alias's there


def _install() -> None:
    present = sys.modules.get(_ALIAS)
    if present is not None and present is not sys.modules[_REAL]:
        raise ImportError(
            f"leat.as_pyflink: a real PyFlink was imported before ({present.__file__}); import "
            "leat.as_pyflink first, or run the script by 'python -m leat run'"
        )
    if _Finder not in sys.meta_path:
        sys.meta_path.insert(0, _Finder)


_install()
