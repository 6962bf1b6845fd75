"""The jobs that a program has started."""

import pytest


class Job:
    def __init__(self, name):
        self.name = name
        self.ended = False
        self.heard = False
        self.state = "FINISHED"

    def status(self):
        return self.state

    def wait(self, seconds):
        return self.ended

    def cancel(self):
        self.ended = True


@pytest.fixture
def jobs(monkeypatch):
    from leat import jobs

    monkeypatch.setattr(jobs, "_started", [])
    monkeypatch.setattr(jobs, "_watching", True)
    return jobs


def test_jobs_that_run_are_remembered_in_order(jobs):
    first, second = jobs.start([], Job, "first"), jobs.start([], Job, "second")
    assert jobs.running() == [first, second]
    first.ended = True
    third = jobs.start([], Job, "third")
    assert jobs.running() == [second, third]
    assert jobs.cancel_all(1.0)
    assert jobs.running() == []


def test_job_whose_bad_end_nobody_heard_of_is_remembered(jobs):
    failed, heard, good = (jobs.start([], Job, name) for name in ("failed", "heard", "good"))
    assert jobs.unsettled() == [failed, heard, good]
    for job in failed, heard, good:
        job.ended = True
    failed.state = heard.state = "FAILED"
    heard.heard = True
    assert jobs.unsettled() == [failed]
    assert jobs.running() == []
    jobs.start([], Job, "next")
    assert failed in jobs.unsettled()


def test_job_that_does_not_start_is_none(jobs):
    def refuse(name):
        raise ValueError(name)

    with pytest.raises(ValueError, match="why"):
        jobs.start([], refuse, "why")
    assert jobs.running() == []


def test_job_that_starts_meanwhile_is_remembered(jobs):
    """As another thread's would be, while the first one is being started."""
    inner = []

    def slowly(name):
        inner.append(jobs.start([], Job, "inner"))
        return Job(name)

    outer = jobs.start([], slowly, "outer")
    assert sorted(job.name for job in jobs.running()) == ["inner", "outer"]
    assert outer.name == "outer"


def test_interrupted_start_cancels_what_was_started(jobs):
    def start_and(raised):
        with jobs.Starting() as new:
            jobs.start(new, Job, "job")
            raise raised

    with pytest.raises(ValueError, match="why"):
        start_and(ValueError("why"))
    (left,) = jobs.running()
    for raised in (KeyboardInterrupt, SystemExit):
        with pytest.raises(raised):
            start_and(raised)
        assert jobs.running() == [left]
