"""Who may include what (docs/architecture.md, the layering rule).

The runtime is a ladder, `base <- data <- state <- flow <- job`: a folder sees itself and those
before it. Everyone else sees the public headers and `runtime/base`; only the Python bridge sees
`runtime/bridge.h`. Examples and system tests are users' programs and see nothing but `include/`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import tree

LADDER = ("base", "data", "state", "flow", "job")
SEES = {
    "public": {"public"},
    "bridge": {"public", "bridge", "base"},
    "third_party": {"third_party"},
}
SEES |= {room: {"public", "third_party", *LADDER[: i + 1]} for i, room in enumerate(LADDER)}
SEES["flow"].add("bridge")
SEES["job"].add("bridge")
SEES |= {
    room: {"public", "third_party", "base", room}
    for room in ("operators", "connectors", "launcher")
}
SEES["pybridge"] = {"public", "third_party", "base", "bridge", "pybridge"}
SEES["leat"] = set(SEES) - {"pybridge", "launcher"}
SEES["program"] = {"public", "program"}

# A header of somebody else's library, and the rooms that may know it.
LIBRARIES = {
    r"(Python|structmember|datetime|frameobject|marshal)\.h|cpython/.*|internal/pycore_.*": {
        "pybridge"
    },
    r"uv\.h|uv/.*": {"base", "job", "connectors", "program"},
    r"zlib\.h|zconf\.h": {"base"},
}

INCLUDE = re.compile(r'^\s*#\s*include\s*(?P<open>[<"])(?P<name>[^>"]+)[>"]')


def room_of(parts: tuple[str, ...]) -> str | None:
    """The room of a file, by its path from the root; None for what the rule does not speak of."""
    match parts:
        case ("include", *_):
            return "public"
        case ("src", "runtime", "bridge.h"):
            return "bridge"
        case ("src", "runtime", folder, _, *_) if folder in LADDER:
            return folder
        case ("src", "leat.c"):
            return "leat"
        case ("src", "runtime", *_):
            return "unknown"
        case ("src", folder, _, *_) if folder in SEES:
            return folder
        case ("src", file) if file.endswith((".txt", ".map")):
            return None
        case ("src", *_):
            return "unknown"
        case ("examples" | "tests", "c" | "system", *_):
            return "program"
    return None


def find(root: Path, path: Path, include: re.Match[str]) -> Path | None:
    """The file of ours that an #include names: beside its file (quotes only) or below a root."""
    places = [root / "src", root / "include"]
    if include["open"] == '"':
        places.insert(0, path.parent)
    for place in places:
        found = (place / include["name"]).resolve()
        if found.is_file() and found.is_relative_to(root):
            return found
    return None


def check(root: Path) -> Iterator[str]:
    root = root.resolve()
    for path in tree.files(root, "include", "src", "examples", "tests", suffixes=tree.C_SUFFIXES):
        room = room_of(path.relative_to(root).parts)
        where = tree.name(root, path)
        if room is None:
            continue
        if room == "unknown":
            yield f"{where}: lies in no folder that the layering rule knows"
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if include := INCLUDE.match(line):
                for complaint in check_include(root, path, room, include):
                    yield f"{where}:{number}: {complaint}"


def check_include(root: Path, path: Path, room: str, include: re.Match[str]) -> Iterator[str]:
    found = find(root, path, include)
    if found is not None:
        target = room_of(found.relative_to(root).parts) or "tests"
        if target not in SEES[room]:
            yield f"{room} must not see {tree.name(root, found)} ({target})"
    elif include["open"] == '"':
        yield f'"{include["name"]}" is not in the tree'
    for pattern, rooms in LIBRARIES.items():
        if found is None and re.fullmatch(pattern, include["name"]) and room not in rooms:
            yield f"{include['name']} is for {', '.join(sorted(rooms - {'program'}))} only"
