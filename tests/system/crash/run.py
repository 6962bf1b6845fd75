#!/usr/bin/env python3
"""Crashes the golden jobs at seeded steps, starts them again, and compares what they wrote.

    run.py [--points N] [--minutes N] [--first-seed N] [--parallel N]
                                    seeds until N things have happened; fewer in that time fail
    run.py --seed N [--job NAME] [--mode MODE]
                                    one again, telling what happens
        --build DIR                 where crash_jobs and crash_shim.so were built (build/dev)
        --keep                      leaves the folders of all seeds, not only of failed ones

A seed chooses a job, its mode, and a few starts: each has a parallelism, and a step at which
something happens to it. When a start has died or failed the next one goes on from the newest
checkpoint. At the end each line must be there as often as in an undisturbed run, and at no time
more often. shim.c has the steps; a process may also be killed from outside, a while after one.
Between two starts files of checkpoints are damaged: unpublished ones must be ignored, published
ones refused by name.

The interpreter that runs this also runs the jobs, with the package that it finds.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from seeds import (
    C_JOBS,
    KILLS,
    MODES,
    PYTHON_JOBS,
    WRITES,
    Run,
    Settings,
    Tour,
    WrongError,
    undisturbed,
)

ROOT = Path(__file__).resolve().parents[3]


def run_of(settings: Settings, seed: int) -> Run:
    return Run(settings, seed) if seed >= 0 else Tour(settings, seed)


class Campaign:
    """Seeds one after another, several at a time, until there are enough points or no more time;
    before them the tours of all jobs in both modes.
    """

    def __init__(self, settings: Settings, first: int, points: int, seconds: float):
        self.settings, self.next, self.points = settings, first, points
        tours = [-1 - i for i in range(2 * len(PYTHON_JOBS + C_JOBS))]
        self.tours = [t for t in tours if settings.job in (None, Tour(settings, t).job)]
        self.until = time.monotonic() + seconds
        self.lock = threading.Lock()
        self.reached: Counter[str] = Counter()
        self.jobs: Counter[str] = Counter()
        self.seeds = self.starts = 0
        self.failures: list[str] = []

    def total(self) -> int:
        kinds = ("outside", *KILLS[1:], *WRITES)
        return sum(self.reached[k] for k in kinds)

    def take(self) -> int | None:
        with self.lock:
            if time.monotonic() > self.until or self.total() >= self.points:
                return None
            if self.tours:
                return self.tours.pop(0)
            self.next += 1
            return self.next - 1

    def one(self, seed: int) -> None:
        run = run_of(self.settings, seed)
        wrong = ""
        try:
            run.all()
        except WrongError as e:
            wrong = str(e)
        except Exception as e:
            wrong = f"the harness failed: {type(e).__name__}: {e}"
        with self.lock:
            self.seeds += 1
            self.starts += run.starts
            self.reached.update(run.points)
            self.jobs[f"{run.job} {run.mode}"] += 1
            if wrong:
                story = "\n    ".join([*run.story, *wrong.splitlines(), f"its folder: {run.root}"])
                self.failures.append(f"FAILED {story}")
                print(self.failures[-1], flush=True)

    def work(self) -> None:
        while (seed := self.take()) is not None:
            self.one(seed)

    def run(self, parallel: int) -> bool:
        with ThreadPoolExecutor(parallel) as pool:
            for done in [pool.submit(self.work) for _ in range(parallel)]:
                done.result()
        print(json.dumps({"steps": self.reached, "jobs": self.jobs}, indent=1, sort_keys=True))
        print(
            f"{self.total()} crash points, {self.seeds} seeds, {self.starts} starts, "
            f"{len(self.failures)} failed"
        )
        for failure in self.failures:
            print(failure.splitlines()[0])
        if self.failures:
            print("one again: scripts/soak --seed N")
        return not self.failures


def parse() -> argparse.Namespace:
    p = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    p.add_argument("--points", type=int)
    p.add_argument("--minutes", type=float, default=10)
    p.add_argument("--first-seed", type=int, default=1)
    p.add_argument("--parallel", type=int, default=3 * (os.cpu_count() or 1))
    p.add_argument("--seed", type=int)
    p.add_argument("--job", choices=PYTHON_JOBS + C_JOBS)
    p.add_argument("--mode", choices=MODES)
    p.add_argument("--build", type=Path, default=ROOT / "build" / "dev")
    p.add_argument("--keep", action="store_true")
    return p.parse_args()


def main() -> int:
    args = parse()
    folder = Path(tempfile.mkdtemp(prefix="leat-crash-"))
    settings = Settings(args.build.resolve(), folder, args.keep, args.job, args.mode)
    if args.seed is not None:
        settings.loud = True
        jobs = [run_of(settings, args.seed).job]
    else:
        jobs = [args.job] if args.job else [*PYTHON_JOBS, *C_JOBS]
    with ThreadPoolExecutor(args.parallel) as pool:
        settings.expected = dict(
            zip(jobs, pool.map(lambda j: undisturbed(settings, j), jobs), strict=True)
        )
    if args.seed is not None:
        campaign = Campaign(settings, args.seed, 1, 3600)
        campaign.one(args.seed)
        print(f"seed {args.seed}: {'failed' if campaign.failures else 'passed'}")
        good = not campaign.failures
    else:
        points = args.points or sys.maxsize
        campaign = Campaign(settings, args.first_seed, points, args.minutes * 60)
        good = campaign.run(args.parallel)
        if args.points and campaign.total() < args.points:
            print(f"only {campaign.total()} of {args.points} points in {args.minutes} minutes")
            good = False
    if good and not args.keep:
        shutil.rmtree(folder)
    return not good


if __name__ == "__main__":
    sys.exit(main())
