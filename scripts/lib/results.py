"""Reads JUnit files of ctest and pytest; prints what scripts/test adds up.

One line each: `passed N`, `failed N`, and per test `failure HOW-TO-REPEAT-IT`, per reason
`skipped REASON (tests: N)`. A C program that uses cmocka counts as the tests that it ran;
those that it skipped are told under its name.
"""

from __future__ import annotations

import re
import sys
import xml.etree.ElementTree as ET
from collections import Counter

# How cmocka says that a test is done.
CMOCKA_PASSED = re.compile(r"^\[ +OK \] ", re.MULTILINE)
CMOCKA_SKIPPED = re.compile(r"^\[ +SKIPPED +\] (\d+) test\(s\)", re.MULTILINE)
CMOCKA_FAILED = re.compile(r"^\[ +FAILED +\] \w+$", re.MULTILINE)


def is_failed(case: ET.Element) -> bool:
    return case.find("failure") is not None or case.find("error") is not None


def repeat(case: ET.Element) -> str:
    """The name that scripts/test takes to run this test again."""
    name = case.get("name", "?")
    return f"{case.get('file')}::{name}" if case.get("file") else name


def main(paths: list[str]) -> None:
    counts = Counter({"passed": 0, "failed": 0})
    failures: list[str] = []
    reasons: Counter[str] = Counter()
    for case in (case for path in paths for case in ET.parse(path).iter("testcase")):
        skipped = case.find("skipped")
        output = case.findtext("system-out") or ""
        done = len(CMOCKA_PASSED.findall(output))
        if is_failed(case):
            counts["passed"] += done
            counts["failed"] += max(1, len(set(CMOCKA_FAILED.findall(output))))
            failures.append(repeat(case))
        elif skipped is not None:
            reasons[skipped.get("message") or case.get("name", "?")] += 1
        else:
            left_out = sum(map(int, CMOCKA_SKIPPED.findall(output)))
            counts["passed"] += max(not left_out, done)
            if left_out:
                reasons[f"{case.get('name')} skipped some of its own"] += left_out
    print(f"passed {counts['passed']}\nfailed {counts['failed']}")
    for name in failures:
        print(f"failure {name}")
    for reason, times in reasons.items():
        print(f"skipped {' '.join(reason.split())} (tests: {times})")


if __name__ == "__main__":
    main(sys.argv[1:])
