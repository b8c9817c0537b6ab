#!/usr/bin/python3
"""samples.py SHARED [PLATFORMS]: says which sample bodies of SHARED tests/platforms lacks or holds with other bytes."""
import pathlib
import sys

FOLDERS = {"messenger": "facebook"}  # the channel's name, where it is another


def missing(shared, platforms):
    faults = []
    for sample in sorted(pathlib.Path(shared).glob("*/*")):
        ours = pathlib.Path(platforms) / FOLDERS.get(sample.parent.name, sample.parent.name) / sample.name
        if not ours.is_file():
            faults.append(f"{sample.parent.name}/{sample.name}: not there")
        elif ours.read_bytes() != sample.read_bytes():
            faults.append(f"{sample.parent.name}/{sample.name}: other bytes")
    return faults


if __name__ == "__main__":
    found = missing(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else pathlib.Path(__file__).resolve().parents[1] / "platforms")
    print("\n".join(found) or "nothing is missing")
    sys.exit(1 if found else 0)
