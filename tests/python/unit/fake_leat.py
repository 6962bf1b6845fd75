"""Stands in for the extension module: remembers what was built, runs nothing."""

import json

__version__ = "0.1.0"

KNOWN = {
    "parallelism.default": "4",
    "pipeline.max-parallelism": None,
    "python.execution-mode": "process",
}


def encode(items, type_text):
    return repr((items, type_text)).encode()


def worker_main(argv):
    return len(argv)


def log_to(taker):
    pass


def own_sigterm():
    pass


def config_keys():
    return [("parallelism.default", "cores", "int", "implemented", "How many subtasks.")]


class Env:
    def __init__(self, settings):
        self.settings = dict(settings)
        self.streams = []
        self.options = []
        self.cleared = 0
        self.jobs = []
        self.next_job = Job()

    def set(self, key, value):
        if key.startswith("no.such"):
            raise ValueError(f"{key}: unknown; the nearest is parallelism.default")
        if value is None:
            self.settings.pop(key, None)
            return
        assert isinstance(value, str)
        self.settings[key] = value

    def get(self, key):
        return self.settings.get(key, KNOWN.get(key))

    def _new(self, *what):
        self.streams.append(what)
        return len(self.streams) - 1

    def add(self, operator, inputs, params, name, output_type, parallelism):
        assert all(0 <= i < len(self.streams) for i in inputs)
        return self._new(operator, list(inputs), params, name, output_type, parallelism)

    def partition(self, stream, kind):
        return self._new("partition", stream, kind)

    def union(self, streams):
        return self._new("union", list(streams))

    def side_output(self, stream, tag, type_text):
        return self._new("side_output", stream, tag, type_text)

    def set_option(self, stream, option, value):
        self.options.append((stream, option, value))

    def clear(self):
        self.cleared += 1

    def plan(self):
        return json.dumps({"nodes": [s[0] for s in self.streams]})

    def execute(self, job_name, main_blob):
        self.jobs.append((job_name, main_blob))
        return self.next_job


class Job:
    def __init__(self, records=(), error=None):
        self.id = "5eed"
        self.records = list(records)
        self.error = error
        self.cancelled = False
        self.ended = False
        self.heard = False

    def status(self):
        return "FINISHED" if self.ended else "RUNNING"

    def wait(self, timeout):
        if timeout > 0 or self.cancelled:
            self.ended = True
        return self.ended

    def accumulators(self):
        return {}

    def cancel(self):
        self.cancelled = True

    def result(self):
        self.heard = True
        if self.error is not None:
            raise self.error
        return {"runtime_ms": 12}

    def take(self, collect, most, timeout):
        if not self.records:
            self.ended = True
            return None
        taken, self.records = self.records[:2], self.records[2:]
        return taken
