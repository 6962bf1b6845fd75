"""`python -m leat`: the launcher for Python scripts. See `leat.cli`."""

import sys

from leat.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
