"""What a component can say of itself before the first request; optional, cheap and offline."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Readiness:
    """What a component found when it looked at itself.

    Args:
        notes: what the user should know before the run, a line each, such as a variable that is
            not heeded.
        is_disabled: for a tracker: the user has told its own client to do nothing, so the run
            leaves it out.
    """

    notes: tuple[str, ...] = ()
    is_disabled: bool = False


@runtime_checkable
class TrackerCheck(Protocol):
    """A tracker that can tell before a run whether it could be used."""

    def check(self, home: Path) -> Readiness:
        """Look at settings, environment and files; no network, nothing heavy, nothing written.

        Args:
            home: the project's folder for llmeval's own files; it need not be there yet.

        Raises:
            ConfigError: it can never be used as it is set: an address that is none.
            TrackerError: it lacks what may come: a key, a library, a folder that can be written.
        """


@runtime_checkable
class ModelCheck(Protocol):
    """A model provider that can tell before a run whether a model could be asked."""

    def check(self, model: str) -> Readiness:
        """Look at settings, environment and files; no network, nothing heavy, nothing written.

        Raises:
            ConfigError: it can never be used as it is set.
            ModelError: it lacks what may come: a key.
        """
