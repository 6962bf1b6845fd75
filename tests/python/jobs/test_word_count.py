"""The main job: examples/python/01_word_count.py, and word counts like it, on a text of 10 MB."""

from __future__ import annotations

import importlib.util
import random
from collections import Counter
from pathlib import Path

import pytest
from leat.common import Encoder, Types, WatermarkStrategy
from leat.datastream.connectors.file_system import (
    BucketAssigner,
    FileSink,
    FileSource,
    StreamFormat,
)

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = ROOT / "examples" / "python" / "01_word_count.py"
PAIR = Types.TUPLE([Types.STRING(), Types.LONG()])
SIZE = 10 << 20


def example_words():
    """The function `words` of the example."""
    import sys

    import leat.as_pyflink  # noqa: F401 - the example imports pyflink

    spec = importlib.util.spec_from_file_location("word_count_example", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name in [n for n in sys.modules if n.partition(".")[0] == "pyflink"]:
        del sys.modules[name]
    return module.words


def plain_count(path, words):
    counts = Counter()
    with path.open(newline="\n") as file:
        for line in file:
            counts.update(words(line))
    return counts


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    """10 MB: words of all lengths, some scripts, empty lines, odd spaces, no newline at the end."""
    dice = random.Random(7)
    letters = "etaoinshrdlucmfwypvbgkjqxz"
    known = ["".join(dice.choices(letters, k=dice.randint(1, 9))) for _ in range(4000)]
    known += ["Größe", "naïve", "слово", "言葉", "e\u0301", "x" * 3000, "(the", "the,", "THE"]
    path = tmp_path_factory.mktemp("text") / "text.txt"
    size = 0
    with path.open("w", newline="\n") as file:
        while size < SIZE:
            line = dice.choice((" ", "  ", "\t")).join(
                known[int(dice.paretovariate(0.6)) % len(known)] for _ in range(dice.randint(0, 20))
            )
            size += file.write(line + "\n")
        file.write("the last line")
    assert path.stat().st_size >= SIZE
    return path


@pytest.fixture(scope="module")
def expected(text):
    return plain_count(text, example_words())


def final_counts(lines):
    """The last count of each word, from lines such as `2> (word,3)`."""
    counts = {}
    for line in lines:
        word, _, count = line.partition("(")[2].removesuffix(")").rpartition(",")
        counts[word] = max(int(count), counts.get(word, 0))
    return counts


@pytest.mark.parametrize("parallelism", [1, 2, 4])
def test_word_count_of_10_megabytes(make_env, text, expected, parallelism, tmp_path):
    env = make_env(parallelism)
    source = FileSource.for_record_stream_format(StreamFormat.text_line_format(), str(text))
    lines = env.from_source(source.build(), WatermarkStrategy.no_watermarks(), "lines")
    counts = (
        lines.flat_map(example_words(), output_type=Types.STRING())
        .map(lambda word: (word, 1), output_type=PAIR)
        .key_by(lambda pair: pair[0], key_type=Types.STRING())
        .reduce(lambda a, b: (a[0], a[1] + b[1]))
    )
    sink = FileSink.for_row_format(str(tmp_path), Encoder.simple_string_encoder())
    sink = sink.with_bucket_assigner(BucketAssigner.base_path_bucket_assigner())
    counts.sink_to(sink.build())
    env.execute("word count")
    files = [f for f in tmp_path.rglob("*") if f.is_file()]
    assert len(files) == parallelism
    assert all(f.name.startswith("part-") for f in files)
    written = [line for f in files for line in f.read_text().splitlines()]
    assert len(written) == expected.total()
    assert final_counts(written) == expected


def test_word_count_with_sum_and_without_types(make_env, text, expected):
    env = make_env(2)
    pairs = env.read_text_file(str(text)).flat_map(example_words()).map(lambda word: (word, 1))
    counts = pairs.key_by(lambda pair: pair[0]).sum(1)
    last = {}
    with counts.execute_and_collect() as found:
        for word, count in found:
            last[word] = max(count, last.get(word, 0))
    assert last == expected


@pytest.mark.quick
def test_example_counts_the_license(leat_run):
    done = leat_run(SCRIPT)
    assert done.returncode == 0, done.stderr
    counted = plain_count(ROOT / "LICENSE", example_words())
    lines = done.stdout.splitlines()
    assert len(lines) == counted.total()
    assert final_counts(lines) == counted
    assert done.stderr == ""


def test_example_reads_and_writes_what_it_is_told(leat_run, tmp_path):
    folder, output = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    (folder / "a.txt").write_text("to be or not to be\n")
    (folder / "b.txt").write_text("To think.")
    done = leat_run(SCRIPT, "--input", str(folder), "--output", str(output))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    files = [f for f in output.rglob("*") if f.is_file()]
    assert all(f.name.startswith("counts-") and f.name.endswith(".txt") for f in files)
    counts = final_counts(line for f in files for line in f.read_text().splitlines())
    assert counts == {"to": 3, "be": 2, "or": 1, "not": 1, "think": 1}


@pytest.mark.parametrize("parallelism", [2, 4])
def test_parallelism_comes_from_the_command(leat_run, tmp_path, parallelism):
    text = tmp_path / "text"
    text.write_text("a b a\n" * 1000)
    script = (
        SCRIPT.read_text()
        .replace("    env.set_parallelism(1)\n", "")
        .replace("parents[2]", "parents[0]")
    )
    done = leat_run(script, "--input", str(text), settings=(f"parallelism.default={parallelism}",))
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert final_counts(lines) == {"a": 2000, "b": 1000}
    assert all(line.partition("> ")[0] in map(str, range(1, parallelism + 1)) for line in lines)
