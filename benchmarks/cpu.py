"""CPU time of the processes of a run on Ray, by what they are; from `/proc`, on Linux only."""

from __future__ import annotations

import os
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_KINDS = {
    "the run": "llmeval_core.cli",
    "workers": "ray::Worker",
    "Ray's own": "/ray/",
    "the load server": "benchmarks.server",
}
"""What stands in a process's command line; the first that fits counts."""


def cpu_s() -> dict[str, float]:
    """Sum up the CPU time that the processes of each kind have had so far, seconds."""
    spent = dict.fromkeys(_KINDS, 0.0)
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_text(errors="replace")
            fields = (process / "stat").read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            continue  # it ended in between
        for kind, sign in _KINDS.items():
            if sign in command:
                spent[kind] += (int(fields[11]) + int(fields[12])) / _TICKS_PER_S
                break
    return spent
