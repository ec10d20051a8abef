"""Asking models and trackers whether they could be used, before data is read or anything sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from llmeval_core.config import Redactor
from llmeval_core.contracts import ModelCheck, Readiness, TrackerCheck
from llmeval_core.errors import (
    LlmevalError,
    ModelError,
    PluginError,
    TrackerError,
    wrap_plugin_errors,
)
from llmeval_core.plan import PlannedModel, PlannedTracker


def _no_answers(model: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Preflight:
    """How the models and trackers of a plan are asked whether they could be used.

    A setting with which a component can never work ends the planning in any case. What it lacks
    for now, such as a key, ends it only if `must_be_ready`, and is noted otherwise.

    Args:
        home: the project's folder for llmeval's own files.
        must_be_ready: whether the plan is for a run that begins now.
        has_answers: tells whether the journal has answers of a model. Such a model may have
            nothing to be asked any more, so what it lacks is only noted.
    """

    home: Path
    must_be_ready: bool
    has_answers: Callable[[str], bool] = _no_answers


class ReadinessCheck:
    """Asks components, and collects what the user should know.

    Args:
        preflight: how to ask; None to ask nobody.
        redactor: takes secrets out of what they say.

    Attributes:
        notes: what they said, a line each.
    """

    def __init__(self, preflight: Preflight | None, redactor: Redactor) -> None:
        self.notes: list[str] = []
        self._preflight = preflight
        self._redactor = redactor

    def model(self, planned: PlannedModel, *, where: str, is_asked_here: bool) -> None:
        """Ask a model's provider, if it can tell.

        Args:
            planned: the model.
            where: where it stands, for errors.
            is_asked_here: whether this process will ask it; what an executor's machines lack, or
                have, is not known here.

        Raises:
            LlmevalError: the model cannot be asked.
        """
        asked, provider = self._preflight, planned.provider
        if asked is None or not isinstance(provider, ModelCheck):
            return
        try:
            what = f"model provider of '{planned.name}' cannot check it"
            with wrap_plugin_errors(PluginError, what, where=where):
                self._note(provider.check(planned.model), planned.name)
        except ModelError as err:
            is_needed = is_asked_here and asked.must_be_ready
            is_needed = is_needed and not asked.has_answers(planned.name)
            self._lacks(err, planned.name, where, is_fatal=is_needed)
        except LlmevalError as err:
            raise self._placed(err, where) from err

    def tracker(self, planned: PlannedTracker, *, where: str) -> bool:
        """Ask a tracker, if it can tell; return whether the run should use it.

        Raises:
            LlmevalError: it cannot take results, and the run requires it.
        """
        asked, tracker = self._preflight, planned.tracker
        if asked is None or not isinstance(tracker, TrackerCheck):
            return True
        name = f"tracker '{planned.name}'"
        try:
            with wrap_plugin_errors(PluginError, f"{name} cannot check itself", where=where):
                return not self._note(tracker.check(asked.home), name).is_disabled
        except TrackerError as err:
            is_needed = asked.must_be_ready and planned.required
            self._lacks(err, name, where, is_fatal=is_needed)
        except LlmevalError as err:
            raise self._placed(err, where) from err
        return True

    def _note(self, found: object, name: str) -> Readiness:
        if not isinstance(found, Readiness):
            raise TypeError(f"check() gave a {type(found).__name__}, not a Readiness")
        self.notes += [self._redactor(f"{name}: {note}") for note in found.notes]
        return found

    def _lacks(self, err: LlmevalError, name: str, where: str, *, is_fatal: bool) -> None:
        placed = self._placed(err, where)
        if is_fatal:
            raise placed
        hint = f" (try: {placed.hint})" if placed.hint else ""
        self.notes.append(f"{name}: {placed.what}{hint}")

    def _placed(self, err: LlmevalError, where: str) -> LlmevalError:
        err.what = self._redactor(err.what)
        err.hint = self._redactor(err.hint) if err.hint else None
        err.where = self._redactor(err.where or where)
        return err
