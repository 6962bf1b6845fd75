"""docs/configuration.md is what scripts/gen-config-docs writes today."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path

import tree


def check(root: Path, build: Path | None = None) -> Iterator[str]:
    leat = (build or root / "build/dev") / "bin/leat"
    if not leat.exists():
        raise tree.NotRun("no launcher is built")
    loader = SourceFileLoader("gen_config_docs", str(root / "scripts/gen-config-docs"))
    spec = spec_from_loader("gen_config_docs", loader)
    assert spec is not None
    generator = module_from_spec(spec)
    loader.exec_module(generator)
    page = root / "docs/configuration.md"
    if not page.exists() or page.read_text() != generator.render(generator.table(leat)):
        yield f"docs/configuration.md: is not current; run scripts/gen-config-docs --leat {leat}"
