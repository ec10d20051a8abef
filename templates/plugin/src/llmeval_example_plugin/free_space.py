"""A check for `llmeval doctor`: is there room on the disk?"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from llmeval_core.hooks import Check, CheckOutcome, hookimpl

LEAST_GB = 1.0


def free_space(home: Path) -> CheckOutcome:
    """Look at the disk of the project's folder, which need not be there yet."""
    place = next(one for one in (home.absolute(), *home.absolute().parents) if one.exists())
    free_gb = shutil.disk_usage(place).free / 1e9
    found = f"{free_gb:.1f} GB free at '{place}'"
    if free_gb < LEAST_GB:
        return CheckOutcome("warning", found, "delete what you do not need")
    return CheckOutcome("ok", found)


@hookimpl
def llmeval_register_checks() -> Iterable[Check]:
    """Offer the check."""
    yield Check("free_space", free_space)
