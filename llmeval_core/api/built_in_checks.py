"""The doctor's own checks: Python, the folder, the journal, the plugins."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from llmeval_core.api.journal_opening import existing_journal, has_journal
from llmeval_core.api.session import Session
from llmeval_core.catalog import KINDS, Catalog
from llmeval_core.contracts import Check, CheckOutcome
from llmeval_core.errors import JournalError, LlmevalError
from llmeval_core.host import Host
from llmeval_core.journal import DeliveryRepository
from llmeval_core.paths import file_in_the_way
from llmeval_core.printable import with_count

OLDEST_PYTHON = (3, 11)
NEWEST_PYTHON = (3, 13)


def core_checks(session: Session) -> list[Check]:
    """Make the checks that need no plugin."""
    return [
        Check("Python", lambda home: check_python(sys.version_info[:2])),
        Check("folder", check_folder),
        Check("journal", check_journal),
        Check("deliveries", check_deliveries),
        Check("plugins", lambda home: check_plugins(session.host)),
        Check("names", lambda home: check_names(session.catalog)),
    ]


def check_python(version: tuple[int, int]) -> CheckOutcome:
    """Say whether this Python is one we test."""
    name = ".".join(str(part) for part in version)
    supported = f"{_dotted(OLDEST_PYTHON)} to {_dotted(NEWEST_PYTHON)}"
    if version < OLDEST_PYTHON:
        return CheckOutcome("failed", f"{name} is too old", f"use Python {supported}")
    if version > NEWEST_PYTHON:
        return CheckOutcome("warning", f"{name} is not tested yet", f"use Python {supported}")
    return CheckOutcome("ok", name)


def check_folder(home: Path) -> CheckOutcome:
    """Say whether the project's folder can be written, or made; makes nothing that stays."""
    blocked = file_in_the_way(home)
    if blocked is not None:
        return CheckOutcome(
            "failed",
            f"'{blocked}' is a file, and must be a folder",
            "move it away, or choose another folder with --home DIR",
        )
    folder = home.absolute()
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as err:
        return CheckOutcome(
            "failed",
            f"{folder} cannot be written: {err.strerror}",
            "make it writable, or choose another folder with --home DIR",
        )
    state = "writable" if folder == home.absolute() else "made by the first run"
    return CheckOutcome("ok", f"{home}: {state}")


def check_journal(home: Path) -> CheckOutcome:
    """Say whether the journal can be read and is of our version."""
    try:
        if not has_journal(home):
            return CheckOutcome("ok", "none yet")
        with existing_journal(home) as journal, journal.reader() as reader:
            n_results = sum(1 for _ in reader.results())
    except JournalError as err:
        return CheckOutcome("failed", err.what, err.hint)
    return CheckOutcome("ok", f"{n_results:,} result{'s' if n_results != 1 else ''}")


def check_deliveries(home: Path) -> CheckOutcome:
    """Say whether results wait for a tracker."""
    try:
        if not has_journal(home):
            return CheckOutcome("ok", "none yet")
        with existing_journal(home) as journal:
            n_pending = {
                stored.name: len(
                    journal.deliveries(DeliveryRepository.pending, stored.name, with_failed=True)
                )
                for stored in journal.deliveries(DeliveryRepository.trackers)
            }
    except LlmevalError:
        return CheckOutcome("warning", "unknown: the journal cannot be read")
    waiting = [f"{name} lacks {with_count(n, 'result')}" for name, n in n_pending.items() if n]
    if waiting:
        return CheckOutcome("warning", "; ".join(waiting), "`llmeval sync` delivers them")
    return CheckOutcome("ok", "all delivered")


def check_plugins(host: Host) -> CheckOutcome:
    """Say whether every plugin works."""
    if host.broken:
        reasons = [f"{plugin.name} ({plugin.label}): {plugin.reason}" for plugin in host.broken]
        return CheckOutcome(
            "failed",
            "; ".join(reasons),
            "upgrade or uninstall it, or leave it alone with `-p no:NAME`",
        )
    passed_over = [plugin for plugin in host.plugins if plugin.state in ("unreadable", "shadowed")]
    if passed_over:
        reasons = [f"{plugin.label}: {plugin.reason}" for plugin in passed_over]
        return CheckOutcome(
            "warning", f"passed over: {'; '.join(reasons)}", "install it again, or uninstall it"
        )
    n_loaded = sum(plugin.state == "loaded" for plugin in host.plugins)
    if n_loaded == 0:
        return CheckOutcome(
            "warning", "none is installed", "llmeval-suite brings those that most people need"
        )
    return CheckOutcome("ok", f"{n_loaded} loaded")


def check_names(catalog: Catalog) -> CheckOutcome:
    """Say whether two plugins offer the same name."""
    conflicts = []
    for kind in KINDS:
        components = catalog.components(kind)
        for name in catalog.names(kind):
            who = [
                registered.distribution
                for registered in components
                if registered.component.name == name
            ]
            if len(who) > 1:
                conflicts.append(f"{kind}: '{name}' comes from {' and '.join(who)}")
    if conflicts:
        return CheckOutcome(
            "failed", "; ".join(conflicts), "leave one of the plugins alone with `-p no:NAME`"
        )
    return CheckOutcome("ok", "each offered once")


def _dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"
