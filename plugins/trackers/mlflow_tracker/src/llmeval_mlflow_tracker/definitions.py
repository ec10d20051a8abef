"""What the keys of a leaderboard mean: two harnesses' `char_f1` are never compared unseen."""

from __future__ import annotations

import json
from collections.abc import Mapping

from llmeval_core.hooks import TaskResult
from llmeval_mlflow_tracker.connection import Session
from llmeval_mlflow_tracker.names import HIDDEN, legal_key
from llmeval_mlflow_tracker.refusals import RefusedError
from llmeval_mlflow_tracker.tags import definition_tag, read_object

_TAG = f"{HIDDEN}definitions."
_MAX_EXPERIMENT_TAG = 5000


class Definitions:
    """The definitions that an experiment's tags hold, by task and metric key.

    Args:
        experiment_id: the experiment.
        tags: its tags.
    """

    def __init__(self, experiment_id: str, tags: Mapping[str, str]) -> None:
        self._experiment_id = experiment_id
        self._known = {
            tag: known
            for tag, text in tags.items()
            if tag.startswith(_TAG) and (known := _read(text))
        }

    def check(self, session: Session, result: TaskResult, run_tags: Mapping[str, str]) -> list[str]:
        """Return a note for each key that meant something else, on this run or on another.

        The first definition of a key is kept in a tag of the experiment, which costs a call.
        """
        tag = legal_key(_TAG + result.task)
        known = self._known.setdefault(tag, {})
        notes, new = [], {}
        for metric in result.metrics:
            if metric.category is not None:
                continue
            key, definition = metric.key, metric.definition
            before = run_tags.get(definition_tag(key))
            if before is not None and before != definition:
                notes.append(f"{key} was {before} on this run, and is {definition} from now on")
            elif key not in known:
                new[key] = definition
            elif known[key] != definition:
                notes.append(f"{key} is {definition} here, and {known[key]} for other models")
        if new:
            self._remember(session, tag, known, new)
        return notes

    def _remember(
        self, session: Session, tag: str, known: dict[str, str], new: dict[str, str]
    ) -> None:
        known |= new
        text = json.dumps(known, ensure_ascii=False)
        if len(text) > _MAX_EXPERIMENT_TAG:
            return
        try:
            session.call("set_experiment_tag", self._experiment_id, tag, text)
        except RefusedError as refused:
            if refused.kind in ("gone", "transient"):
                raise


def _read(text: str) -> dict[str, str]:
    return {key: str(value) for key, value in read_object(text).items()}
