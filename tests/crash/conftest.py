"""Crash tests need a build with -DADUAN_STEPS=ON; without one they are skipped, loudly."""
import subprocess

import pytest
from crash import BUILD


def has_steps():
    """STEP() reads this variable; in a build without it the name is nowhere."""
    program = BUILD / "aduand"
    return program.exists() and subprocess.run(["grep", "-q", "ADUAN_DIE_AT", str(program)], check=False).returncode == 0


def pytest_collection_modifyitems(items):
    if not has_steps():
        for item in items:
            item.add_marker(pytest.mark.skip(reason=f"{BUILD} was not built with -DADUAN_STEPS=ON"))
