"""What leaves a job: execute_and_collect, print, file sinks; names, plans, environments."""

import json
import tempfile
from pathlib import Path

from parity_case import Collected, Family, Printed
from pyflink.common import Encoder, Row, Types, WatermarkStrategy
from pyflink.datastream import ProcessFunction
from pyflink.datastream.connectors.file_system import (
    BucketAssigner,
    FileSink,
    FileSource,
    OutputFileConfig,
    RollingPolicy,
    StreamFormat,
)

family = Family()
case, each = family.case, family.each

PAIR = Types.TUPLE([Types.STRING(), Types.INT()])


@case(ordered=True)
def collected(env):
    return Collected(env.from_collection([1, 2, 3]))


@case(ordered=True)
def collected_limit(env):
    return Collected(env.from_collection([1, 2, 3]), limit=2)


@case(ordered=True)
def collected_limit_larger(env):
    return Collected(env.from_collection([1, 2, 3]), limit=9)


@case(ordered=True)
def collected_nothing(env):
    return Collected(env.from_collection([1]).filter(lambda v: False))


@case()
def collected_then_raises(env):
    def bad(v):
        raise ValueError("in the middle")

    return Collected(env.from_collection([1]).map(bad))


@case(ordered=True)
def collected_by_hand(env):
    values = env.from_collection([1, 2]).execute_and_collect()
    found = [next(values), values.next()]
    try:
        next(values)
    except StopIteration as e:
        found.append(repr(e))
    values.close()
    return found


@case(ordered=True)
def two_jobs_of_one_environment(env):
    one = Collected(env.from_collection([1])).stream
    with one.execute_and_collect() as values:
        found = list(values)
    with env.from_collection([2]).execute_and_collect() as values:
        return found + list(values)


@case()
def print_of_three(env):
    env.from_collection([5]).rebalance().map(lambda v: v).set_parallelism(1).print()
    return Printed()


@each({"id": "id", "empty": "", "none": None}, ordered=True)
def print_identifier(env, identifier):
    env.from_collection([("a", 1)], PAIR).print(identifier)
    return Printed()


@case(parallelism=3)
def print_identifier_of_three(env):
    env.from_collection([5], Types.INT()).print("id").set_parallelism(1)
    return Printed()


@case(ordered=True)
def print_keyed(env):
    env.from_collection([("a", 1)], PAIR).key_by(lambda v: v[0]).print()
    return Printed()


@case(ordered=True)
def print_keyed_untyped(env):
    env.from_collection([("a", 1)]).key_by(lambda v: v[0]).print("id")
    return Printed()


@case(ordered=True)
def print_strings_with_newlines(env):
    env.from_collection(["a\nb", ""], Types.STRING()).print()
    return Printed()


@case()
def nothing_to_do(env):
    env.execute()
    return []


@case()
def no_sink(env):
    env.from_collection([1]).map(lambda v: v)
    env.execute()
    return ["done"]


@case()
def executed_twice(env):
    env.from_collection([1], Types.INT()).print()
    env.execute()
    env.execute()
    return []


@case(ordered=True)
def result_of_execute(env):
    env.from_collection([1], Types.INT()).filter(lambda v: False).print()
    result = env.execute("the name")
    return [
        len(str(result.get_job_id())),
        result.get_net_runtime() >= 0,
        result.get_accumulator_result("x"),
        result.get_all_accumulator_results(),
    ]


@case(ordered=True)
def async_execute(env):
    env.from_collection([1], Types.INT()).filter(lambda v: False).print()
    client = env.execute_async("the name")
    result = client.get_job_execution_result().result()
    return [len(str(client.get_job_id())), len(str(result.get_job_id()))]


# --- Files ----------------------------------------------------------------------------------------


def files(folder):
    """The lines of all finished files, by their folder within."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.name.startswith("."):
            where = path.parent.relative_to(folder)
            name = path.name.split("-")[0], path.suffix
            found += [f"{where} {name} {line}" for line in path.read_text().splitlines()]
    return found


def written(env, stream, change=lambda b: b, bucket=True):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        builder = FileSink.for_row_format(str(folder), Encoder.simple_string_encoder())
        if bucket:
            builder = builder.with_bucket_assigner(BucketAssigner.base_path_bucket_assigner())
        stream.sink_to(change(builder).build())
        env.execute("files")
        return files(folder)


FILED = {
    "strings": (Types.STRING(), ["a", "", "ü"]),
    "tuples": (PAIR, [("a", 1), (None, 2)]),
    "rows": (Types.ROW([Types.STRING(), Types.INT()]), [Row("a", 1), Row(None, 2)]),
    "rows_of_booleans": (Types.ROW([Types.BOOLEAN(), Types.DOUBLE()]), [Row(True, 1.0)]),
    "rows_of_lists": (
        Types.ROW([Types.LIST(Types.INT()), Types.MAP(Types.STRING(), Types.INT())]),
        [Row([1, 2], {"a": 1})],
    ),
    "rows_of_dates": (
        Types.ROW([Types.SQL_DATE(), Types.SQL_TIME(), Types.SQL_TIMESTAMP()]),
        [],
    ),
    "longs": (Types.LONG(), [1, 2]),
    "untyped": (None, [1, ("a", 2)]),
}


@each(FILED)
def file_sink(env, argument):
    type_info, values = argument
    return written(env, env.from_collection(values, type_info))


@case(parallelism=3)
def file_sink_of_three(env):
    stream = env.from_collection(range(6), Types.LONG()).rebalance()
    return written(env, stream.map(lambda v: v, Types.LONG()))


@case(batch=True)
def file_sink_in_batch(env):
    return written(env, env.from_collection(["a", "b"], Types.STRING()))


@case()
def file_sink_names(env):
    config = OutputFileConfig.builder().with_part_prefix("pre").with_part_suffix(".txt").build()
    stream = env.from_collection(["a"], Types.STRING())
    return written(env, stream, lambda b: b.with_output_file_config(config))


@case()
def file_sink_rolling(env):
    policy = RollingPolicy.default_rolling_policy(part_size=1)
    stream = env.from_collection(["a", "b"], Types.STRING())
    return written(env, stream, lambda b: b.with_rolling_policy(policy))


@case()
def file_sink_buckets_by_hour(env):
    assigner = BucketAssigner.date_time_bucket_assigner("'day'", "UTC")
    stream = env.from_collection(["a"], Types.STRING())
    return written(env, stream, lambda b: b.with_bucket_assigner(assigner), bucket=False)


def reads(env, prepare, **names):
    folder = Path(tempfile.mkdtemp())
    prepare(folder)
    source = FileSource.for_record_stream_format(StreamFormat.text_line_format(), str(folder))
    return env.from_source(
        source.process_static_file_set().build(), WatermarkStrategy.no_watermarks(), "files"
    )


def two_files(folder):
    (folder / "a.txt").write_text("one\ntwo\n")
    (folder / "sub").mkdir()
    (folder / "sub" / "b.txt").write_text("three\n\nfour")
    (folder / ".hidden").write_text("hidden\n")
    (folder / "_under").write_text("under\n")


def gzipped(folder):
    import gzip

    (folder / "a.gz").write_bytes(gzip.compress(b"one\ntwo\n"))


@each({"two": two_files, "gzip": gzipped, "none": lambda f: None})
def file_source(env, prepare):
    return reads(env, prepare)


@case(parallelism=3)
def file_source_of_three(env):
    return reads(env, two_files)


@case()
def file_source_missing(env):
    source = FileSource.for_record_stream_format(StreamFormat.text_line_format(), "/nowhere/to/be")
    return env.from_source(source.build(), WatermarkStrategy.no_watermarks(), "files")


# --- Plans and names ------------------------------------------------------------------------------


class Tells(ProcessFunction):
    def process_element(self, value, ctx):
        yield value


@case(ordered=True, parallelism=2)
def plan(env):
    stream = env.from_collection([1, 2]).map(lambda v: v).name("first")
    stream.key_by(lambda v: v).reduce(lambda a, b: a).print().name("last")
    nodes = json.loads(env.get_execution_plan())["nodes"]
    return [
        f"{n['pact']} {n['parallelism']} {[p['ship_strategy'] for p in n.get('predecessors', [])]}"
        for n in nodes
    ]


@case(ordered=True)
def environment(env):
    env.set_parallelism(4).set_max_parallelism(64).set_buffer_timeout(7)
    return [
        env.get_parallelism(),
        env.get_max_parallelism(),
        env.get_buffer_timeout(),
        env.is_chaining_enabled(),
        env.get_config().get_auto_watermark_interval(),
        env.get_config().is_object_reuse_enabled(),
        env.get_checkpoint_interval(),
    ]


@each({"uid": lambda s: s.uid("same"), "hash": lambda s: s.set_uid_hash("f" * 32)})
def same_uid(env, mark):
    stream = mark(env.from_collection([1]).map(lambda v: v))
    return mark(stream.map(lambda v: v))


@case()
def streams_of_two_environments(env):
    from pyflink.datastream import StreamExecutionEnvironment

    other = StreamExecutionEnvironment.get_execution_environment()
    return env.from_collection([1]).union(other.from_collection([2]))
