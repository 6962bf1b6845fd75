"""How user functions and classes travel to the subtasks that run them.

A function is pickled by value in the call that adds it to a stream (`dumps`) and unpickled once per
subtask (`loads`); imported modules travel by name. Classes that the program's `__main__` defines
travel by name, too, in functions as in records, so that `__main__.Point` is one class everywhere:
their definitions are packed once, when the job is executed (`main_classes_blob`), and every worker
binds them in its own `__main__` before it unpickles anything else (`bind_main_classes`).
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

PROTOCOL = 5
_FORMAT = 1

_pickler: Any = None


def dumps(function: Any, operator: str, beside: Any = None) -> bytes:
    """The function as bytes, in a tuple with what travels beside it, if that is not None.

    A TypeError names the operator and what cannot be pickled.
    """
    try:
        return _dumps(function if beside is None else (function, beside), by_name=True)
    except Exception as e:
        raise TypeError(_complaint(function, operator, e)) from e


def loads(payload: bytes) -> Any:
    """The function that `dumps` made `payload` of."""
    import pickle

    return pickle.loads(payload)


def dumps_record(value: Any) -> bytes:
    """A value as bytes: by plain pickle if that can, else as functions are pickled.

    A TypeError says what cannot be pickled.
    """
    import pickle

    try:
        return pickle.dumps(value, PROTOCOL)
    except (pickle.PicklingError, AttributeError, TypeError):
        pass
    try:
        return _dumps(value, by_name=True)
    except Exception as e:
        raise TypeError(
            f"a {type(value).__qualname__} cannot be serialised{_because(value)}: {e}; "
            "emit plain data, or make its class picklable"
        ) from e


def dumps_exception(error: BaseException) -> bytes:
    """An exception as bytes that `loads` was seen to read back as one of the same class.

    One that its own constructor cannot make again travels in parts. What that raises is the
    caller's: the exception cannot travel.
    """
    try:
        return _tried(error, dumps_record(error))
    except Exception:
        parts = _exception_of_parts, (type(error), error.args, vars(error).copy())
        return _tried(error, dumps_record(_Parts(parts)))


def _tried(error: BaseException, payload: bytes) -> bytes:
    back = loads(payload)
    if type(back) is not type(error):
        raise TypeError(f"a {type(error).__qualname__} became a {type(back).__qualname__}")
    str(back)
    return payload


class _Parts:
    """Pickles as what is made of the parts."""

    def __init__(self, parts: tuple[Any, ...]) -> None:
        self._parts = parts

    def __reduce__(self) -> tuple[Any, ...]:
        return self._parts


def _exception_of_parts(
    cls: type[BaseException], args: tuple[Any, ...], attributes: dict[str, Any]
) -> BaseException:
    made = cls.__new__(cls)
    made.args = args
    vars(made).update(attributes)
    return made


def main_classes_blob() -> bytes:
    """What a worker must know before it unpickles anything of this program.

    The module search path, whether `pyflink` stands for `leat`, and the classes of `__main__`. A
    class that cannot be pickled is left out and reported only where something needs it.
    """
    import marshal

    main = sys.modules["__main__"]
    classes = _main_classes(main)
    packed, skipped = _pack(classes) if classes else (b"", {})
    aliased = "leat.as_pyflink" in sys.modules
    return marshal.dumps((_FORMAT, _versions(), list(sys.path), aliased, packed, skipped))


def bind_main_classes(blob: bytes) -> None:
    """In a worker: take over what `main_classes_blob` packed in the main process."""
    import marshal

    form, versions, path, aliased, packed, skipped = marshal.loads(blob)
    if form != _FORMAT or versions[:2] != _versions()[:2]:
        raise RuntimeError(
            f"leat: the worker runs Python {_versions()[0]} and Leat {_versions()[1]}, the main "
            f"process {versions[0]} and {versions[1]}; set python.executable to the same Python"
        )
    _adopt_path(path)
    if aliased:
        import leat.as_pyflink  # noqa: F401 - the import is what it is for
    _skipped.update(skipped)
    if packed:
        _check_cloudpickle(versions[2])
        main = sys.modules["__main__"]
        for name, cls in loads(packed).items():
            cls.__qualname__ = name  # cloudpickle forgets what a class is nested in
            if "." not in name:
                setattr(main, name, cls)


def main_class(qualname: str) -> Any:
    """The class of `__main__` with this name: what references in pickles resolve to."""
    found: Any = sys.modules["__main__"]
    try:
        for part in qualname.split("."):
            found = getattr(found, part)
    except AttributeError:
        reason = _skipped.get(qualname.partition(".")[0])
        why = f" because it cannot be pickled: {reason}" if reason else ""
        raise AttributeError(f"class __main__.{qualname} did not come with the job{why}") from None
    return found


_skipped: dict[str, str] = {}


def _versions() -> tuple[str, str, str]:
    """Of Python (minor), Leat, and cloudpickle if it was loaded."""
    from leat.version import __version__

    cloudpickle = sys.modules.get("cloudpickle")
    return (
        "{}.{}".format(*sys.version_info[:2]),
        __version__,
        getattr(cloudpickle, "__version__", ""),
    )


def _check_cloudpickle(wanted: str) -> None:
    import cloudpickle

    if cloudpickle.__version__ != wanted:
        raise RuntimeError(
            f"leat: the worker has cloudpickle {cloudpickle.__version__}, the main process "
            f"{wanted}; install the same one for python.executable"
        )


def _adopt_path(path: list[str]) -> None:
    """Search modules where the main process does, then where this one did."""
    sys.path[:] = [*path, *(p for p in sys.path if p not in path)]


def _main_classes(main: Any) -> dict[str, type]:
    """The classes that `__main__` defines, and those nested in them, by qualified name."""
    found: dict[str, type] = {}
    waiting = [vars(main)]
    while waiting:
        for cls in list(waiting.pop().values()):
            if isinstance(cls, type) and cls.__qualname__ not in found and _is_main_class(cls):
                found[cls.__qualname__] = cls
                waiting.append(vars(cls))
    return found


def _pack(classes: dict[str, type]) -> tuple[bytes, dict[str, str]]:
    """All classes in one pickle, so that they may refer to each other; and why some are not."""
    try:
        return _dumps(classes, by_name=False), {}
    except Exception:
        skipped: dict[str, str] = {}
        for name, cls in classes.items():
            try:
                _dumps(cls, by_name=False)
            except Exception as e:
                skipped[name] = str(e)
        kept = {n: c for n, c in classes.items() if n not in skipped}
        return (_dumps(kept, by_name=False) if kept else b""), skipped


def _dumps(value: Any, by_name: bool) -> bytes:
    import io

    global _pickler
    if _pickler is None:
        _pickler = _make_pickler()
    with io.BytesIO() as file:
        _pickler(file, by_name).dump(value)
        return file.getvalue()


def _make_pickler() -> Any:
    import cloudpickle

    class Pickler(cloudpickle.CloudPickler):
        """cloudpickle's, but for the classes of `__main__`, which travel by name."""

        def __init__(self, file: Any, by_name: bool) -> None:
            super().__init__(file, protocol=PROTOCOL)
            self._by_name = by_name

        def reducer_override(self, obj: Any) -> Any:
            if self._by_name and isinstance(obj, type) and _is_main_class(obj):
                return main_class, (obj.__qualname__,)
            reduced = super().reducer_override(obj)
            slotted = isinstance(obj, type) and "__slots__" in vars(obj)
            return _with_slots(obj, reduced) if slotted else reduced

    return Pickler


def _with_slots(cls: type, reduced: Any) -> Any:
    """What cloudpickle makes of a class, but made with its slots, which it adds too late to count.

    Objects would have a `__dict__` in workers, and their pickles would not fit the class elsewhere.
    """
    if not isinstance(reduced, tuple) or getattr(reduced[0], "__name__", "") != _SKELETON:
        return reduced
    make, arguments, *others = reduced
    kind, name, bases, given, *rest = arguments
    slots = {"__slots__": cls.__slots__}  # type: ignore[attr-defined]
    return (make, (kind, name, bases, {**given, **slots}, *rest), *others)


_SKELETON = "_make_skeleton_class"


def _is_main_class(cls: type) -> bool:
    """Whether `cls` is what its name in `__main__` stands for."""
    if getattr(cls, "__module__", None) != "__main__":
        return False
    found: Any = sys.modules.get("__main__")
    for part in cls.__qualname__.split("."):
        found = getattr(found, part, None)
    return found is cls


def _complaint(function: Any, operator: str, error: Exception) -> str:
    """What is wrong with a function that cannot be pickled, and what to do."""
    return (
        f"leat: {operator}: the function {_name(function)} cannot be serialised"
        f"{_because(function)}: {error}; create such objects in open(), or inside the function"
    )


def _because(value: Any) -> str:
    """Which part of `value` cannot be pickled; nothing when it is the value itself."""
    where, culprit = _culprit(value, "")
    kind = type(culprit)
    return f", because of its {where} ({kind.__module__}.{kind.__qualname__})" if where else ""


def _name(function: Any) -> str:
    return getattr(function, "__qualname__", None) or type(function).__qualname__


def _culprit(value: Any, where: str, depth: int = 4) -> tuple[str, Any]:
    """The innermost part of `value` that cannot be pickled, and the way to it."""
    if depth:
        for label, part in _parts(value):
            try:
                _dumps(part, by_name=True)
            except Exception:
                return _culprit(part, f"{where}, {label}" if where else label, depth - 1)
    return where, value


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    """What pickling `value` would pickle, with names for people."""
    code = getattr(value, "__code__", None)
    if code is not None:
        for name, cell in zip(code.co_freevars, value.__closure__ or (), strict=False):
            try:
                yield f"variable {name!r}", cell.cell_contents
            except ValueError:
                continue
        names = [n for n in code.co_names if n in value.__globals__]
        yield from ((f"global {n!r}", value.__globals__[n]) for n in names)
        yield from (("default argument", d) for d in value.__defaults__ or ())
    elif hasattr(value, "__self__") and hasattr(value, "__func__"):
        yield "object", value.__self__
    elif hasattr(value, "func") and hasattr(value, "keywords"):
        yield "function", value.func
        yield from ((f"argument {i}", a) for i, a in enumerate(value.args))
        yield from ((f"argument {k!r}", a) for k, a in value.keywords.items())
    elif isinstance(value, dict):
        yield from ((f"item {k!r}", v) for k, v in value.items())
    elif isinstance(value, (list, tuple, set)):
        yield from ((f"item {i}", v) for i, v in enumerate(value))
    elif not isinstance(value, type):
        yield from ((f"attribute {n!r}", v) for n, v in getattr(value, "__dict__", {}).items())
