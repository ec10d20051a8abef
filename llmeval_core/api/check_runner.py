"""Running checks: at the same time, each in a thread, none able to hold up the rest."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from llmeval_core.contracts import Check, CheckOutcome, CheckState
from llmeval_core.errors import describe_error


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a check found, with its name."""

    name: str
    outcome: CheckOutcome


def run_checks(checks: list[Check], home: Path, *, within_s: float) -> list[CheckResult]:
    """Run checks at the same time, each in a thread; one that hangs is left behind, failed."""
    outcomes: dict[int, CheckOutcome] = {}

    def run(index: int, check: Check) -> None:
        outcomes[index] = _outcome(check, home)

    # Daemons, because a thread that hangs must not keep the process.
    threads = [
        threading.Thread(target=run, args=item, name=f"check {item[1].name}", daemon=True)
        for item in enumerate(checks)
    ]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + within_s
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    late = CheckOutcome("failed", f"no answer within {within_s:g} s")
    return [CheckResult(check.name, outcomes.get(i, late)) for i, check in enumerate(checks)]


def _outcome(check: Check, home: Path) -> CheckOutcome:
    try:
        found: object = check.run(home)
    except BaseException as err:  # noqa: BLE001  plugin boundary, and a thread: Ctrl-C comes elsewhere
        return CheckOutcome("failed", f"the check itself broke: {describe_error(err)}")
    if not isinstance(found, CheckOutcome):
        kind = type(found).__name__
        return CheckOutcome("failed", f"the check gave a {kind}, not a CheckOutcome")
    if found.state not in get_args(CheckState):
        return CheckOutcome("failed", f"the check gave the state {found.state!r}")
    hint = None if found.hint is None else str(found.hint)
    return CheckOutcome(found.state, str(found.detail), hint)
