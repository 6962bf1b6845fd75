import inspect
import pickle

import pytest
from leat import jobs, settings
from leat.common import Configuration, Duration, Encoder, Row, Types, WatermarkStrategy
from leat.common.errors import ConfigurationError, JobError, NotSupportedError
from leat.common.serialization import SimpleStringEncoder
from leat.datastream import (
    BroadcastConnectedStream,
    BroadcastProcessFunction,
    BroadcastStream,
    CoFlatMapFunction,
    CoMapFunction,
    CoProcessFunction,
    DataStream,
    FilterFunction,
    KeyedBroadcastProcessFunction,
    KeyedCoProcessFunction,
    KeyedProcessFunction,
    KeyedStream,
    MapFunction,
    OutputTag,
    ProcessFunction,
    RuntimeContext,
    SinkFunction,
    SourceFunction,
    StreamExecutionEnvironment,
)
from leat.datastream.connectors.file_system import (
    BucketAssigner,
    FileSink,
    FileSource,
    OutputFileConfig,
    RollingPolicy,
    StreamFormat,
    StreamingFileSink,
)
from leat.datastream.connectors.number_seq import NumberSequenceSource
from leat.datastream.state import MapStateDescriptor, ValueStateDescriptor

PAIR = Types.TUPLE([Types.STRING(), Types.LONG()])


class PlusOne(MapFunction):
    def map(self, value):
        return value + 1


class Keyed(KeyedProcessFunction):
    def process_element(self, value, ctx):
        yield value


class Plain(ProcessFunction):
    def process_element(self, value, ctx):
        yield value


class CoMap(CoMapFunction):
    def map1(self, value):
        return value

    map2 = map1


class CoFlat(CoFlatMapFunction):
    def flat_map1(self, value):
        yield value

    flat_map2 = flat_map1


class Co(CoProcessFunction):
    def process_element1(self, value, ctx):
        yield value

    process_element2 = process_element1


class KeyedCo(KeyedCoProcessFunction):
    def process_element1(self, value, ctx):
        yield value

    process_element2 = process_element1


class Broadcast(BroadcastProcessFunction):
    def process_element(self, value, ctx):
        yield value

    process_broadcast_element = process_element


class KeyedBroadcast(KeyedBroadcastProcessFunction):
    def process_element(self, value, ctx):
        yield value

    process_broadcast_element = process_element


@pytest.fixture
def pairs(env):
    return env.from_collection([("a", 1), ("b", 2)], PAIR)


def last(stream):
    return stream._node.engine.streams[stream._node.handle]


def call(function_param):
    language, payload, _ = function_param
    assert language == "python"
    return pickle.loads(payload)


# --- What the operators are ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("window", "'window'; use key_by before it, or window_all"),
        ("count_window", "'count_window'; use key_by before it"),
        ("reduce", "'reduce'; use key_by before it"),
        ("sum", "'sum'; use key_by before it"),
        ("windw", "'windw'"),
        ("_origin_stream", "'_origin_stream'"),
    ],
)
def test_what_only_keyed_streams_have_says_so(pairs, name, said):
    with pytest.raises(AttributeError) as caught:
        getattr(pairs, name)
    assert str(caught.value) == f"'DataStream' object has no attribute {said}"
    assert not hasattr(pairs, name)
    with pytest.raises(AttributeError, match=r"^'KeyedStream' object has no attribute 'windw'$"):
        getattr(pairs.key_by(lambda v: v[0]), "windw")  # noqa: B009 - there is none


def test_map_ships_a_callable_with_its_output_type(pairs):
    made = pairs.map(lambda p: p[1], output_type=Types.LONG())
    operator, inputs, params, name, text, parallelism = last(made)
    assert (operator, inputs, name, text, parallelism) == ("map", [0], "Map", "LONG", 0)
    assert call(params["function"])(("a", 5)) == 5
    assert made.get_type() == Types.LONG()
    assert made.get_name() == "Map"


def test_functions_are_serialised_in_the_call_that_adds_them(env):
    stream = env.from_collection([1])
    made = []
    for i in (2, 3):
        made.append(stream.map(lambda x: x * i))
    assert [call(last(s)[2]["function"])(1) for s in made] == [2, 3]


def test_function_objects_have_names(env):
    made = env.from_collection([1]).map(PlusOne())
    assert last(made)[2]["function"][2] == "PlusOne"
    assert call(last(made)[2]["function"]).map(1) == 2


def test_output_type_may_be_a_list_of_types(pairs):
    assert last(pairs.map(lambda p: Row(*p), [Types.STRING()]))[4] == "ROW<STRING>"


def test_filter_and_reduce_keep_the_type(pairs):
    assert last(pairs.filter(lambda p: True))[4] == PAIR._text()
    reduced = pairs.key_by(lambda p: p[0], Types.STRING()).reduce(lambda a, b: a)
    assert last(reduced)[0] == "reduce"
    assert last(reduced)[4] == PAIR._text()


def test_key_by_gives_the_key_type(pairs):
    keyed = pairs.key_by(lambda p: p[0], key_type=Types.STRING())
    assert isinstance(keyed, KeyedStream)
    assert last(keyed)[2]["key_type"] == "STRING"
    assert last(pairs.key_by(lambda p: p[0]))[2]["key_type"] is None
    assert keyed.get_type() == Types.ROW([Types.STRING(), PAIR])


def test_key_by_of_a_keyed_stream_forgets_the_first_key(pairs):
    again = pairs.key_by(lambda p: p[0]).key_by(lambda p: p[1])
    assert last(again)[1] == [pairs._node.handle]


@pytest.mark.parametrize("name", ["sum", "min", "max", "min_by", "max_by"])
def test_aggregations_take_a_position_or_a_name(pairs, name):
    keyed = pairs.key_by(lambda p: p[0])
    assert last(getattr(keyed, name)())[2] == {"field": 0}
    assert last(getattr(keyed, name)(1))[:1] == (name,)
    assert last(getattr(keyed, name)("f1"))[2] == {"field_name": "f1"}
    with pytest.raises(TypeError, match="int or str"):
        getattr(keyed, name)(1.5)


def test_partitioners(pairs):
    kinds = ["shuffle", "rebalance", "rescale", "forward", "broadcast"]
    for kind in kinds:
        assert last(getattr(pairs, kind)()) == ("partition", 0, kind)
    assert last(pairs.global_()) == ("partition", 0, "global")
    custom = last(pairs.partition_custom(lambda key, n: key % n, lambda p: p[1]))
    assert call(custom[2]["function"])(5, 3) == 2
    assert call(custom[2]["selector"])(("a", 7)) == 7


def test_project_makes_a_tuple_type(pairs):
    made = pairs.project(1, 0)
    assert last(made)[2] == {"fields": [1, 0]}
    assert made.get_type() == Types.TUPLE([Types.LONG(), Types.STRING()])
    with pytest.raises(Exception, match="Only Tuple DataStreams can be projected"):
        pairs.map(lambda p: p).project(0)
    with pytest.raises(ValueError):
        pairs.project(2)


def test_union_unwraps_keyed_streams(pairs):
    other = pairs.map(lambda p: p, output_type=PAIR)
    assert last(pairs.union(other, other.key_by(lambda p: p)))[1] == [0, 1, 1]
    assert last(pairs.key_by(lambda p: p).union(other))[1] == [0, 1]


def test_union_needs_one_type(env, pairs):
    for one, other in ((pairs, env.from_collection([1])), (env.from_collection([1]), pairs)):
        with pytest.raises(ValueError, match=r"Cannot union .* types: .*Pickled"):
            one.union(other)
    typed = env.from_collection([1], Types.PICKLED_BYTE_ARRAY())
    assert last(typed.union(env.from_collection([1])))[0] == "union"


def test_connected_streams(pairs):
    other = pairs.map(lambda p: p)
    plain = pairs.connect(other)
    assert last(plain.map(CoMap()))[:2] == ("co_map", [0, 1])
    assert last(plain.flat_map(CoFlat()))[0] == "co_flat_map"
    assert last(plain.process(Co()))[0] == "co_process"
    keyed = plain.key_by(lambda p: p[0], lambda p: p[0])
    assert last(keyed.process(KeyedCo()))[0] == "keyed_co_process"
    with pytest.raises(TypeError):
        plain.process(KeyedCo())
    for method in (plain.map, plain.flat_map, plain.process):
        with pytest.raises(TypeError):
            method(PlusOne())


def test_broadcast_streams(pairs):
    rules = MapStateDescriptor("rules", Types.STRING(), Types.LONG())
    broadcast = pairs.broadcast(rules)
    assert isinstance(broadcast, BroadcastStream)
    assert broadcast.broadcast_state_descriptors == [rules]
    assert isinstance(pairs.broadcast(), DataStream)
    assert isinstance(pairs.broadcast(None, rules), DataStream)
    assert len(pairs.broadcast(rules, rules).broadcast_state_descriptors) == 2
    for wrong in (3, ValueStateDescriptor("rules", Types.LONG())):
        with pytest.raises(TypeError, match="broadcast_state_descriptor must be MapStateDesc"):
            pairs.broadcast(wrong)
    plain = pairs.connect(broadcast)
    assert isinstance(plain, BroadcastConnectedStream)
    assert plain.non_broadcast_stream is pairs and plain.broadcast_stream is broadcast
    made = plain.process(Broadcast(), [Types.LONG()])
    assert last(made)[0] == "broadcast_process" and last(made)[1][0] == pairs._node.handle
    assert made.get_name() == "Co-Process-Broadcast"
    assert made.get_type() == Types.ROW([Types.LONG()])
    keyed = pairs.key_by(lambda p: p[0]).connect(broadcast)
    made = keyed.process(KeyedBroadcast())
    assert (last(made)[0], made.get_name()) == (
        "keyed_broadcast_process",
        "Keyed-Co-Process-Broadcast",
    )


def test_broadcast_processes_check_their_function(pairs):
    broadcast = pairs.broadcast(MapStateDescriptor("rules", Types.STRING(), Types.LONG()))
    plain, keyed = pairs.connect(broadcast), pairs.key_by(lambda p: p[0]).connect(broadcast)
    with pytest.raises(TypeError, match="should be applied to non-keyed DataStream"):
        keyed.process(Broadcast())
    with pytest.raises(TypeError, match="should be applied to keyed DataStream"):
        plain.process(KeyedBroadcast())
    with pytest.raises(TypeError, match="must be a BroadcastProcessFunction or Keyed"):
        plain.process(lambda v: v)
    with pytest.raises(TypeError, match="output_type must be None, list or TypeInformation"):
        plain.process(Broadcast(), 3)


def test_process_and_side_outputs(pairs):
    tag = OutputTag("late", Types.INT())
    made = pairs.process(Plain(), Types.LONG())
    assert last(made)[0] == "process"
    side = made.get_side_output(tag)
    assert last(side) == ("side_output", made._node.handle, "late", "INT")
    assert side.get_type() == Types.INT()
    assert last(pairs.key_by(lambda p: p[0]).process(Keyed()))[0] == "keyed_process"


def test_process_checks_its_function(pairs):
    with pytest.raises(TypeError, match="KeyedProcessFunction is required for KeyedStream"):
        pairs.key_by(lambda p: p[0]).process(Plain())
    with pytest.raises(TypeError):
        pairs.process(Keyed())


def test_wrong_functions_are_type_errors(pairs):
    with pytest.raises(TypeError, match="must be a MapFunction or a callable function"):
        pairs.map(3)
    with pytest.raises(TypeError):
        pairs.flat_map(PlusOne())
    with pytest.raises(TypeError, match="give an instance"):
        pairs.map(PlusOne)
    assert last(pairs.map(str))[0] == "map"


def test_options_go_to_the_operator(pairs):
    made = pairs.map(lambda p: p).name("n").uid("u").set_parallelism(2).set_max_parallelism(8)
    made.disable_chaining().start_new_chain().set_description("d").slot_sharing_group("g")
    made.set_buffer_timeout(5).force_non_parallel()
    assert made.get_name() == "n"
    assert [o[1:] for o in made._node.engine.options] == [
        ("name", "n"),
        ("uid", "u"),
        ("parallelism", 2),
        ("max_parallelism", 8),
        ("chaining", "never"),
        ("chaining", "head"),
        ("description", "d"),
        ("slot_sharing_group", "g"),
        ("buffer_timeout", 5),
        ("parallelism", 1),
        ("max_parallelism", 1),
    ]
    for wrong in (0, -1):
        with pytest.raises(ValueError):
            made.set_parallelism(wrong)


def test_old_keywords_are_taken_and_do_not_show(pairs):
    assert last(pairs.map(lambda p: 1, result_type=Types.INT()))[4] == "INT"
    assert last(pairs.key_by(lambda p: 1, key_type_info=Types.INT()))[2]["key_type"] == "INT"
    with pytest.raises(TypeError, match="both"):
        pairs.map(lambda p: 1, output_type=None, type_info=None)
    assert str(inspect.signature(type(pairs).map)).startswith("(self, func")
    assert "result_type" not in str(inspect.signature(type(pairs).map))


KEYED_REFUSALS = [
    ("shuffle", ()),
    ("rebalance", ()),
    ("rescale", ()),
    ("forward", ()),
    ("broadcast", ()),
    ("partition_custom", (max, max)),
    ("name", ("n",)),
    ("get_name", ()),
    ("uid", ("u",)),
    ("set_uid_hash", ("u",)),
    ("set_parallelism", (1,)),
    ("set_max_parallelism", (1,)),
    ("force_non_parallel", ()),
    ("set_buffer_timeout", (1,)),
    ("start_new_chain", ()),
    ("disable_chaining", ()),
    ("slot_sharing_group", ("g",)),
    ("cache", ()),
]


@pytest.mark.parametrize(("method", "arguments"), KEYED_REFUSALS)
def test_keyed_streams_refuse(pairs, method, arguments):
    with pytest.raises(Exception, match="KeyedStream"):
        getattr(pairs.key_by(lambda p: p[0]), method)(*arguments)


def test_what_comes_later_says_so(env, pairs):
    for attempt in (pairs.cache,):
        with pytest.raises(NotSupportedError, match="later release; "):
            attempt()


# --- Sources and sinks -----------------------------------------------------------------------


def test_from_collection_encodes_its_items(env):
    made = env.from_collection([1, 2], Types.INT())
    operator, inputs, params, _, text, parallelism = last(made)
    assert (operator, inputs, text, parallelism) == ("collection", [], "INT", 1)
    assert params["items"] == b"([1, 2], 'INT')"
    assert env.from_collection([1]).get_type() == Types.PICKLED_BYTE_ARRAY()


def test_number_sequence(env):
    none = WatermarkStrategy.no_watermarks()
    made = env.from_source(NumberSequenceSource(1, 9), none, "numbers")
    assert last(made) == ("sequence", [], {"first": 1, "last": 9}, "numbers", "LONG", 0)
    with pytest.raises(ValueError):
        NumberSequenceSource(2, 1)
    bounded = WatermarkStrategy.for_bounded_out_of_orderness(Duration.of_seconds(1))
    assert last(env.from_source(NumberSequenceSource(1, 9), bounded, "numbers"))[0] == "sequence"
    with pytest.raises(TypeError, match="a WatermarkStrategy is needed"):
        env.from_source(NumberSequenceSource(1, 9), None, "numbers")


def test_timestamps_and_watermarks(env, pairs):
    strategy = WatermarkStrategy.for_bounded_out_of_orderness(Duration.of_seconds(1))
    made = pairs.assign_timestamps_and_watermarks(strategy.with_idleness(Duration.of_millis(7)))
    operator, _, params, name, text, _ = last(made)
    assert (operator, name) == ("assign_timestamps", "Timestamps/Watermarks")
    assert text == last(pairs)[4] and made.get_type() == pairs.get_type()
    assert params == {"bound_ms": 1000, "idle_ms": 7, "no_watermarks": 0}
    made = pairs.assign_timestamps_and_watermarks(WatermarkStrategy.no_watermarks())
    assert last(made)[2] == {"bound_ms": 0, "idle_ms": 0, "no_watermarks": 1}
    with pytest.raises(TypeError, match="a WatermarkStrategy is needed"):
        pairs.assign_timestamps_and_watermarks(None)


def test_file_source_and_read_text_file(env):
    source = FileSource.for_record_stream_format(
        StreamFormat.text_line_format("latin-1"), "file:///a", "b"
    )
    made = env.from_source(
        source.process_static_file_set().build(), WatermarkStrategy.no_watermarks(), "files"
    )
    assert last(made)[2] == {"paths": ["/a", "b"], "charset": "latin-1"}
    assert last(env.read_text_file("c"))[:3] == (
        "text_source",
        [],
        {"paths": ["c"], "charset": "UTF-8"},
    )
    with pytest.raises(ValueError):
        StreamFormat.text_line_format("no-such-charset")
    with pytest.raises(ValueError):
        env.read_text_file("hdfs://host/x")


def test_file_sink(pairs):
    files = OutputFileConfig.builder().with_part_prefix("p").with_part_suffix(".txt").build()
    builder = FileSink.for_row_format("out", Encoder.simple_string_encoder())
    pairs.sink_to(builder.with_output_file_config(files).build())
    params = pairs._node.engine.streams[-1][2]
    assert params == {
        "path": "out",
        "prefix": "p",
        "suffix": ".txt",
        "charset": "UTF-8",
        "bucket": "yyyy-MM-dd--HH",
        "check_interval": 60_000,
        "part_size": 128 << 20,
        "rollover": 60_000,
        "inactivity": 60_000,
    }


def test_streaming_file_sink_is_a_file_sink(pairs):
    builder = StreamingFileSink.for_row_format("out", SimpleStringEncoder("latin-1"))
    builder.with_rolling_policy(RollingPolicy.on_checkpoint_rolling_policy())
    builder.with_bucket_assigner(BucketAssigner.date_time_bucket_assigner("yyyy", "UTC"))
    pairs.add_sink(builder.with_bucket_check_interval(5).build())
    operator, _, params = pairs._node.engine.streams[-1][:3]
    assert operator == "file_sink"
    assert params == {
        "path": "out",
        "prefix": "part",
        "suffix": "",
        "charset": "latin-1",
        "bucket": "yyyy",
        "zone": "UTC",
        "check_interval": 5,
        "roll_on_checkpoint": 1,
    }


class Count(SourceFunction):
    def __init__(self, n):
        super().__init__()
        self.n = n

    def run(self, ctx):
        for i in range(self.n):
            ctx.collect(i)


class Keep(SinkFunction):
    def invoke(self, value, context):
        pass


def test_python_sources_and_sinks(env):
    made = env.add_source(Count(3), type_info=Types.INT())
    assert last(made)[0] == "function_source"
    assert last(made)[3:] == ("Custom Source", "INT", 1)
    made.add_sink(Keep()).name("keep").set_parallelism(2)
    assert made._node.engine.streams[-1][0] == "function_sink"
    made.add_sink(print)
    assert call(last(env.add_source(lambda: range(3)))[2]["function"])() == range(3)
    with pytest.raises(TypeError):
        env.add_source(3)
    with pytest.raises(NotSupportedError, match="Java"):
        SinkFunction("org.apache.Sink")
    assert str(inspect.signature(SourceFunction.__init__)).startswith("(self, source_func")


def test_print_and_text_sinks(pairs):
    pairs.print("id").name("p")
    pairs.write_as_text("x")
    first, second = pairs._node.engine.streams[-2:]
    assert first[:3] == ("print", [0], {"identifier": "id"})
    assert second[:3] == ("text_sink", [0], {"path": "x"})


# --- Settings and execution --------------------------------------------------------------------


def test_settings_of_file_launcher_and_program(fake, tmp_path, monkeypatch):
    conf = tmp_path / "c.yaml"
    conf.write_text("# ours\na: file\nb: 'file'  # x\nc: file # y\n")
    monkeypatch.setenv("LEAT_CONF", str(conf))
    monkeypatch.setattr(settings, "overrides", {"b": "-D", "c": "-D"})
    program = Configuration().set_string("c", "program")
    env = StreamExecutionEnvironment.get_execution_environment(program)
    assert [env._engine.get(k) for k in "abc"] == ["file", "-D", "program"]


def test_wrong_settings_name_their_place(fake, tmp_path, monkeypatch):
    conf = tmp_path / "c.yaml"
    monkeypatch.setenv("LEAT_CONF", str(conf))
    make = StreamExecutionEnvironment.get_execution_environment
    with pytest.raises(ConfigurationError, match="cannot be read"):
        make()
    conf.write_text("a: 1\nb:\n  c: 2\n")
    with pytest.raises(ConfigurationError, match="line 3"):
        make()
    conf.write_text("no.such.key: 1")
    with pytest.raises(ConfigurationError, match=r"c\.yaml: no\.such\.key"):
        make()


def test_environment_settings(env):
    with pytest.raises(TypeError, match="Parallelism must be an int, not '3'"):
        env.set_parallelism("3")
    with pytest.raises(TypeError, match="Maximum parallelism must be an int, not True"):
        env.set_max_parallelism(True)
    env.set_parallelism(3).set_max_parallelism(64).set_buffer_timeout(20)
    assert (env.get_parallelism(), env.get_max_parallelism()) == (3, 64)
    assert env.get_buffer_timeout() == 20
    assert env.set_buffer_timeout(-1).get_buffer_timeout() == -1
    assert env.is_chaining_enabled()
    assert not env.disable_operator_chaining().is_chaining_enabled()
    env.add_python_file("a.py")
    env.add_python_file("b.py")
    env.set_python_requirements("r.txt", "cache")
    assert env._engine.get("python.files") == "a.py,b.py"
    assert env._engine.get("python.requirements") == "r.txt#cache"
    env.configure(Configuration().set_string("execution.buffer-timeout.interval", "1 min"))
    assert env.set_buffer_timeout(60000).get_buffer_timeout() == 60000
    with pytest.raises(ConfigurationError):
        env.configure(Configuration().set_string("no.such", "x"))


def test_execution_config(env):
    config = env.get_config()
    assert config.get_auto_watermark_interval() == 200
    assert config.set_auto_watermark_interval(50).get_auto_watermark_interval() == 50
    config.set_global_job_parameters({"a": 1, "b:": "it's"})
    assert config.get_global_job_parameters() == {"a": "1", "b:": "it's"}
    assert env._engine.get("pipeline.global-job-parameters") == "a:1,'b:':'it''s'"
    assert config.enable_object_reuse().is_object_reuse_enabled()
    for wrong in (0, 32768):
        with pytest.raises(ValueError):
            config.set_max_parallelism(wrong)


def test_execute_keeps_the_streams_and_answers_the_result(env, pairs):
    pairs.print()
    result = env.execute("name")
    assert env._engine.jobs[0][0] == "name"
    assert env._engine.cleared == 0
    assert result.get_net_runtime() == 12
    assert str(result.get_job_id()) == "5eed"
    assert result.get_all_accumulator_results() == {}


def test_execute_raises_the_jobs_error(env, pairs):
    env._engine.next_job.error = JobError("Map (1/1): ValueError: odd")
    with pytest.raises(JobError, match="odd"):
        env.execute()


def test_execute_cancels_on_ctrl_c(env, pairs, monkeypatch):
    job = env._engine.next_job

    def interrupted(timeout):
        raise KeyboardInterrupt

    monkeypatch.setattr(job, "wait", interrupted)
    monkeypatch.setattr(jobs, "_started", [])
    with pytest.raises(KeyboardInterrupt):
        env.execute()
    assert job.cancelled


def test_execute_async_gives_a_client(env, pairs):
    from leat.common import JobStatus

    client = env.execute_async("later")
    assert client.get_job_status().result() is JobStatus.RUNNING
    future = client.get_job_execution_result()
    assert not future.done()
    assert future.result().get_net_runtime() == 12
    assert client.get_job_status().result() is JobStatus.FINISHED
    assert client.get_accumulators().result() == {}
    assert client.cancel().result() is None


def test_execute_and_collect(env, pairs):
    env._engine.next_job.records = [1, 2, 3, 4, 5]
    with pairs.execute_and_collect("c") as results:
        assert list(results) == [1, 2, 3, 4, 5]
        with pytest.raises(StopIteration, match=r"No more data\."):
            results.next()
    assert not env._engine.next_job.cancelled


def test_execute_and_collect_with_a_limit_cancels(env, pairs):
    env._engine.next_job.records = [1, 2, 3, 4, 5]
    assert pairs.execute_and_collect(limit=3) == [1, 2, 3]
    assert env._engine.next_job.cancelled


def test_collected_results_raise_the_jobs_error_at_the_end(env, pairs):
    env._engine.next_job.records = [1]
    env._engine.next_job.error = JobError("broken")
    results = pairs.execute_and_collect()
    assert next(results) == 1
    with pytest.raises(JobError):
        next(results)


def test_a_keyed_stream_collects_key_and_value(env, pairs):
    pairs.key_by(lambda p: p[0]).execute_and_collect()
    function = call(env._engine.streams[-2][2]["function"])

    class Context:
        def get_current_key(self):
            return "k"

    assert list(function.process_element(1, Context())) == [Row(f0="k", f1=1)]


def test_the_plan_ends_a_script_under_plan(env, pairs, monkeypatch):
    monkeypatch.setattr(settings, "plan_only", True)
    pairs.add_sink(print)
    with pytest.raises(settings.PlanReady) as ready:
        env.execute()
    assert "function_sink" in ready.value.plan
    assert "sink in Python" in ready.value.additions[0]


def test_runtime_context():
    context = RuntimeContext("MyTask", 2, 6, 128, 1, {"a": "b"})
    assert context.get_task_name_with_subtasks() == "MyTask (3/6)"
    assert context.get_index_of_this_subtask() == 2
    assert context.get_number_of_parallel_subtasks() == 6
    assert context.get_max_number_of_parallel_subtasks() == 128
    assert context.get_attempt_number() == 1
    assert context.get_job_parameter("a", "") == "b"
    assert context.get_job_parameter("x", "default") == "default"


def test_output_tag():
    assert OutputTag("t").type_info == Types.PICKLED_BYTE_ARRAY()
    assert OutputTag("t", [Types.INT()]).type_info == Types.ROW([Types.INT()])
    assert pickle.loads(pickle.dumps(OutputTag("t", Types.INT()))) == OutputTag("t")
    with pytest.raises(ValueError, match="tag_id cannot be None or empty string"):
        OutputTag("")
    with pytest.raises(TypeError):
        OutputTag("t", int)


def test_functions_must_override_their_method():
    class Nothing(FilterFunction):
        pass

    with pytest.raises(TypeError):
        Nothing()


def test_streams_of_two_environments_are_refused(env, pairs, fake):
    other = StreamExecutionEnvironment.get_execution_environment().from_collection([1])
    for join in (pairs.union, lambda s: pairs.connect(s).map(CoMap())):
        with pytest.raises(ValueError, match="belong to two environments"):
            join(other)


def test_what_is_no_stream_type_or_tag_is_a_type_error(env, pairs):
    for call, wanted in (
        (lambda: pairs.union(3), "union needs DataStreams, not 3"),
        (lambda: pairs.get_side_output("late"), "get_side_output needs an OutputTag, not 'late'"),
        (lambda: env.from_collection([1], "int"), "a TypeInformation is needed"),
    ):
        with pytest.raises(TypeError, match=wanted):
            call()
