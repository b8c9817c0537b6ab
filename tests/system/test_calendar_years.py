"""The tests' own calendars: a year that the repository has no calendar for is counted all the same, in tests only."""
import calendar
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from rig.aduan import ROOT, Aduan, Refused  # noqa: E402
from rig.calendars import covering  # noqa: E402

NOW = calendar.timegm((2028, 1, 2, 3, 0, 0))


def test_calendars_of_the_repository_are_used_while_they_last(tmp_path):
    assert covering(ROOT / "conf", tmp_path, calendar.timegm((2026, 11, 24, 0, 0, 0))) == ROOT / "conf"
    assert list(tmp_path.iterdir()) == []


def test_a_later_year_has_deadlines_in_tests(tmp_path):
    with Aduan() as a:
        a.loop()
        a.core["policy"] = str(covering(ROOT / "conf", tmp_path, NOW))
        a.write()
        assert a.ctl("due", "--received", "2028-01-03T10:00:00+07:00", "--channel", "email")["due_at"].startswith("2028-01-0")
        a.core["policy"] = str(ROOT / "conf")
        a.write()
        if not (ROOT / "conf" / "calendar" / "2028.conf").exists():
            with pytest.raises(Refused) as no:
                a.ctl("due", "--received", "2028-01-03T10:00:00+07:00", "--channel", "email")
            assert "no calendar for 2028" in no.value.text
