"""What each metric key means: a note is given if two results mean different things by one key."""

from __future__ import annotations

import json
from collections.abc import Mapping

from llmeval_core.hooks import TaskResult
from llmeval_mlflow_tracker.mlflow_client import DeadlineSession
from llmeval_mlflow_tracker.mlflow_errors import MlflowError
from llmeval_mlflow_tracker.names import HIDDEN, legal_key
from llmeval_mlflow_tracker.tags import definition_tag, read_object

_TAG = f"{HIDDEN}definitions."
_MAX_EXPERIMENT_TAG = 5000


class Definitions:
    """The definitions of metrics, kept in tags of the experiment, by task and metric key.

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

    def check(
        self, session: DeadlineSession, result: TaskResult, run_tags: Mapping[str, str]
    ) -> list[str]:
        """Return a note for each key whose definition differs from that on this run or on others.

        A key's first definition is written to a tag of the experiment, which takes a call.
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
            self._add(session, tag, known, new)
        return notes

    def _add(
        self, session: DeadlineSession, tag: str, known: dict[str, str], new: dict[str, str]
    ) -> None:
        known |= new
        text = json.dumps(known, ensure_ascii=False)
        if len(text) > _MAX_EXPERIMENT_TAG:
            return
        try:
            session.call("set_experiment_tag", self._experiment_id, tag, text)
        except MlflowError as err:
            if err.kind in ("gone", "transient"):
                raise


def _read(text: str) -> dict[str, str]:
    return {key: str(value) for key, value in read_object(text).items()}
