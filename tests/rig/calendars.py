"""calendars.py: the office's rules as the tests need them: with a calendar for today, in whatever year a test is run.

A year without a calendar has no deadlines and no acknowledgements (nothing is promised that was not counted), and the
repository has the calendars that the government has published. Where today's or next year's is not among them, tests
take the last one for it.
"""
import pathlib
import shutil
import time


def covering(conf, directory, now=None):
    """conf itself while its calendars cover this year and the next; else a copy in directory that does."""
    conf = pathlib.Path(conf)
    year = time.gmtime(now if now is not None else time.time()).tm_year
    last = max(int(f.stem) for f in (conf / "calendar").glob("*.conf"))
    if last > year:
        return conf
    copy = pathlib.Path(directory) / "policy"
    if not copy.exists():
        shutil.copytree(conf, copy)
        text = (conf / "calendar" / f"{last}.conf").read_text(encoding="utf-8")
        for wanted in range(last + 1, year + 2):
            (copy / "calendar" / f"{wanted}.conf").write_text(text.replace(str(last), str(wanted)), encoding="utf-8")
    return copy
