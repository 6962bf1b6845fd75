"""`python -m leat.worker`: a worker process of a job in PROCESS mode. Started by the library only.

Its arguments are the library's. With `LEAT_AS_PYFLINK` set, or `--as-pyflink` among them, the name
`pyflink` means Leat before anything is unpickled. `--module-path=FOLDER` names a folder with a C
program's own modules. What else it takes over from the main process comes with the job
(`leat.shipping.bind_main_classes`).
"""

import io
import os
import sys

_MODULE_PATH = "--module-path="


def main(arguments: list[str]) -> int:
    """Run a worker until its job ends; the process's exit code."""
    if not sys.flags.safe_path and sys.path and sys.path[0] in ("", os.getcwd()):  # noqa: PTH109
        del sys.path[0]  # it came by -m, and must not shadow the standard library
    if os.environ.get("LEAT_AS_PYFLINK") or "--as-pyflink" in arguments:
        arguments = [a for a in arguments if a != "--as-pyflink"]
        import leat.as_pyflink  # noqa: F401 - the import is what it is for
    if folders := [a[len(_MODULE_PATH) :] for a in arguments if a.startswith(_MODULE_PATH)]:
        from leat import program_path

        program_path.add(folders)
    from leat import _leat

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # what functions print comes out at once
    return _leat.worker_main(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
