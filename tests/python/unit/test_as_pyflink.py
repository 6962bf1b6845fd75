def test_modules_are_leats_own(python):
    python("""
import sys
import leat.as_pyflink
import pyflink.datastream.functions as f
import leat.datastream.functions as g
from pyflink.common import Types, Row
from pyflink.datastream.connectors.file_system import FileSource
import pyflink, leat, leat.common, leat.datastream.connectors.file_system as fs
assert f is g and pyflink is leat and pyflink.common is leat.common
assert FileSource is fs.FileSource
import pyflink.common.types
assert sys.modules["pyflink.common.types"] is sys.modules["leat.common.types"]
for name, module in list(sys.modules.items()):
    if name.partition(".")[0] in ("pyflink", "leat"):
        assert module.__spec__.name.startswith("leat"), (name, module.__spec__)
        assert module.__name__.startswith("leat"), name
import importlib
assert importlib.import_module("pyflink.common.time") is leat.common.time
import leat.as_pyflink  # twice is fine
""")


def test_pickles_name_leat(python):
    python("""
import leat.as_pyflink, pickle
from pyflink.common import Row
assert b"pyflink" not in pickle.dumps(Row(1))
assert b"pyflink" not in pickle.dumps(Row)
""")


def test_what_is_not_there_says_so(python):
    python("""
import leat.as_pyflink
try:
    import pyflink.table.udf
except ModuleNotFoundError as e:
    assert "does not have this part" in str(e) and e.name == "pyflink.table.udf", e
else:
    raise AssertionError
try:
    from pyflink.table import StreamTableEnvironment
except ImportError as e:
    assert "no 'StreamTableEnvironment'" in str(e) and "later release" in str(e), e
else:
    raise AssertionError
from pyflink.table import DataTypes
""")


def test_a_real_pyflink_that_was_imported_first_is_an_error(python, tmp_path):
    (tmp_path / "pyflink").mkdir()
    (tmp_path / "pyflink" / "__init__.py").write_text("REAL = True")
    python("""
import pyflink
assert pyflink.REAL
try:
    import leat.as_pyflink
except ImportError as e:
    assert "real PyFlink" in str(e) and "leat run" in str(e)
else:
    raise AssertionError
""")


def test_without_it_an_installed_pyflink_is_found(python, tmp_path):
    (tmp_path / "pyflink").mkdir()
    (tmp_path / "pyflink" / "__init__.py").write_text("REAL = True")
    python("import leat.datastream, pyflink; assert pyflink.REAL")


def test_with_it_an_installed_pyflink_is_not_touched(python, tmp_path):
    (tmp_path / "pyflink").mkdir()
    (tmp_path / "pyflink" / "__init__.py").write_text("raise RuntimeError")
    python("import leat.as_pyflink, pyflink; assert pyflink.__name__ == 'leat'")
