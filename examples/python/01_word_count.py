"""Counts words: the first program of every streaming system.

    python -m leat run examples/python/01_word_count.py --input LICENSE

It is an ordinary PyFlink script: the same file runs on an Apache Flink cluster. Each word comes out
with its running count, the last line of a word being its total.
"""

import argparse
from pathlib import Path

from pyflink.common import Encoder, Types, WatermarkStrategy
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.connectors.file_system import (
    FileSink,
    FileSource,
    OutputFileConfig,
    RollingPolicy,
    StreamFormat,
)

LICENSE = Path(__file__).resolve().parents[2] / "LICENSE"


def words(line):
    """The words of a line, in lower case and without what stands around them."""
    for word in line.split():
        bare = word.strip(".,;:!?()[]{}\"'").lower()
        if bare:
            yield bare


def word_count(input_path, output_path):
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(1)

    lines = env.from_source(
        FileSource.for_record_stream_format(StreamFormat.text_line_format(), input_path)
        .process_static_file_set()
        .build(),
        WatermarkStrategy.no_watermarks(),
        "lines",
    )
    counts = (
        lines.flat_map(words, output_type=Types.STRING())
        .map(lambda word: (word, 1), output_type=Types.TUPLE([Types.STRING(), Types.LONG()]))
        .key_by(lambda pair: pair[0], key_type=Types.STRING())
        .reduce(lambda a, b: (a[0], a[1] + b[1]))
    )

    if output_path is None:
        counts.print()
    else:
        counts.sink_to(
            FileSink.for_row_format(output_path, Encoder.simple_string_encoder())
            .with_output_file_config(
                OutputFileConfig.builder()
                .with_part_prefix("counts")
                .with_part_suffix(".txt")
                .build()
            )
            .with_rolling_policy(RollingPolicy.default_rolling_policy())
            .build()
        )
    env.execute("word count")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Count the words of a text.")
    parser.add_argument("--input", default=str(LICENSE), help="a file, or a folder of files")
    parser.add_argument("--output", help="a folder for the result; it is printed otherwise")
    arguments = parser.parse_args()
    word_count(arguments.input, arguments.output)
