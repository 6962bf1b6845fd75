"""Finds the shortest ways from a town to all others, with a loop.

    python -m leat run examples/python/11_shortest_paths.py

A town that is reached on a shorter way than before tells its neighbours, and that news goes back to
where the loop begins. The job ends when no news is on its way any more. PyFlink has no loops in
Python; names and results are those of Flink's Java API.
"""

from pyflink.common import Types
from pyflink.datastream import KeyedProcessFunction, OutputTag, StreamExecutionEnvironment
from pyflink.datastream.state import ValueStateDescriptor

ROADS = {
    "Tavistock": {"Yelverton": 6, "Okehampton": 16},
    "Yelverton": {"Plymouth": 9, "Princetown": 6},
    "Princetown": {"Ashburton": 14, "Tavistock": 7},
    "Okehampton": {"Exeter": 23},
    "Ashburton": {"Exeter": 20},
    "Exeter": {"Ashburton": 20},
    "Plymouth": {"Ashburton": 25},
}
NEWS = Types.TUPLE([Types.STRING(), Types.INT()])
TELL = OutputTag("tell", NEWS)


class Town(KeyedProcessFunction):
    """Keeps the shortest way to itself, and tells the neighbours when there is a shorter one."""

    def open(self, runtime_context):
        self.shortest = runtime_context.get_state(ValueStateDescriptor("shortest", Types.INT()))

    def process_element(self, value, ctx):
        town, miles = value
        known = self.shortest.value()
        if known is not None and known <= miles:
            return
        self.shortest.update(miles)
        yield town, miles
        for neighbour, further in ROADS.get(town, {}).items():
            yield TELL, (neighbour, miles + further)


def main():
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(1)
    loop = env.from_collection([("Tavistock", 0)], NEWS).iterate()
    reached = loop.key_by(lambda news: news[0], Types.STRING()).process(Town(), NEWS)
    loop.close_with(reached.get_side_output(TELL))
    reached.map(lambda news: f"{news[0]}: {news[1]} miles", Types.STRING()).print()
    env.execute("shortest paths")


if __name__ == "__main__":
    main()
