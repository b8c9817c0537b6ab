#!/usr/bin/python3
"""junit.py FILE STATUS: prints "passed failed skipped" of a JUnit file.

A runner that ended badly without a failed case (it could not collect, or was killed) is a failure.
"""
import sys
import xml.etree.ElementTree as tree


def outcome(case):
    names = {child.tag for child in case}
    if names & {"failure", "error"} or case.get("status") == "fail":
        return 1
    return 2 if "skipped" in names or case.get("status") in ("notrun", "disabled") else 0


def main(file, status):
    counts = [0, 0, 0]
    for case in tree.parse(file).getroot().iter("testcase"):
        counts[outcome(case)] += 1
    if status != "0" and counts[1] == 0:
        counts[1] = 1
    print(*counts)


if __name__ == "__main__":
    main(*sys.argv[1:3])
