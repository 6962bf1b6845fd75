"""`pyflink` in processes that a script under `leat run` starts by multiprocessing.

Those inherit `sys.path`, in which the folder above is. Gives way to `leat.as_pyflink`.
"""

import sys

del sys.modules[__name__]

import leat.as_pyflink  # noqa: E402, F401 - the import is what it is for

import pyflink  # noqa: E402, F401 - Leat, which the import system answers for this module
