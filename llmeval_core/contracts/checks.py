"""Lines of `llmeval doctor`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

CheckState = Literal["ok", "warning", "failed"]


@dataclass(frozen=True, slots=True)
class CheckOutcome:
    """What a check found: its state, one line of detail, and what to try if it is not ok."""

    state: CheckState
    detail: str
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """One line of `llmeval doctor`: a name and what finds out; `run` may take seconds."""

    name: str
    run: Callable[[Path], CheckOutcome]
