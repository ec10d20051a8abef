"""How many files and connections this process may have open, and what a run needs of them."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from llmeval_core.engine.rate_limiters import endpoint_of, max_in_flight
from llmeval_core.plan import Plan, PlannedModel

_RESERVED, _MIN_RESERVED = 96, 16
"""Kept free beside the models' connections: the journal, data sets, trackers, look-ups of names.
Where there is little room it is a quarter of it."""
_USUALLY_OPEN = 32
"""Open files of a process that cannot be counted."""


def fit_to_open_files(plan: Plan) -> tuple[Plan, str | None]:
    """Make room for the plan's connections; where there is too little, plan fewer of them.

    The process's soft limit is raised to what is needed, as far as its hard limit allows.

    Returns:
        The plan, and what the user should know if it had to be changed.
    """
    servers: dict[str, list[PlannedModel]] = {}
    for model in plan.models:
        if model.info.endpoint is not None:
            servers.setdefault(endpoint_of(model), []).append(model)
    if plan.executor is not None or not servers:
        return plan, None
    wanted = [max_in_flight(plan, models) for models in servers.values()]
    n_open, needed = _n_open(), sum(wanted) + _RESERVED
    allowed = _raise_limit(n_open + needed)
    if allowed is None or allowed >= n_open + needed:
        return plan, None
    room = allowed - n_open
    most = _share(wanted, room - min(_RESERVED, max(_MIN_RESERVED, room // 4)))
    if most >= max(wanted):
        return plan, None
    changed = replace(
        plan,
        concurrency=None if plan.concurrency is None else min(plan.concurrency, most),
        max_concurrency=min(plan.max_concurrency, most),
    )
    return changed, (
        f"at most {most} requests at once to a server, not {max(wanted)}: this process may have"
        f" only {allowed} open files (raise it with `ulimit -n`, or as root with `ulimit -Hn`)"
    )


def _share(wanted: list[int], room: int) -> int:
    """Return the largest number so that no server has more of the room, and all fit; at least 1."""
    left, n_left = room, len(wanted)
    for one in sorted(wanted):
        if one * n_left > left:
            break
        left, n_left = left - one, n_left - 1
    return max(1, left // max(1, n_left))


def _n_open() -> int:
    try:
        return sum(1 for _ in Path("/proc/self/fd").iterdir())
    except OSError:
        return _USUALLY_OPEN


def _raise_limit(needed: int) -> int | None:
    """Raise the soft limit to what is needed, or to the hard one; return it; None for no limit."""
    if sys.platform == "win32":
        return None  # there sockets do not count
    import resource  # noqa: PLC0415  not on every system

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return None
    if soft >= needed:
        return soft
    wanted = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    if wanted <= soft:
        return soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError):  # a system's own limit lies below
        return soft
    return wanted
