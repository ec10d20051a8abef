"""Where settings come from: a line of the run file, or a flag."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

KeyPath = tuple[int | str, ...]
"""The keys and the places in lists that lead to a value."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a run's settings come from, to say so in errors.

    Args:
        file: the run file; None for command line flags.
        lines: line numbers by path of keys.
        flags: the flag as the user typed it, by path of keys.
    """

    file: Path | None = None
    lines: Mapping[KeyPath, int] = field(default_factory=dict)
    flags: Mapping[KeyPath, str] = field(default_factory=dict)

    def where(self, *path: int | str) -> str:
        """Name a place: `eval.yaml:7, tasks[0].metrics[0]`, or the flag `-m openai/x`."""
        known = [path[:end] for end in range(len(path), -1, -1)]
        for prefix in known:
            if prefix in self.flags:
                return self.flags[prefix]
        key = ""
        for part in path:
            key += f"[{part}]" if isinstance(part, int) else (f".{part}" if key else str(part))
        if self.file is None:
            return key or "the settings"
        line = next((f":{self.lines[prefix]}" for prefix in known if prefix in self.lines), "")
        return f"{self.file}{line}, {key}" if key else f"{self.file}{line}"
