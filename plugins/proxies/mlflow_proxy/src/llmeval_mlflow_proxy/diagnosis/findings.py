"""The findings of a diagnosis, which can be shown in each language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from llmeval_core.hooks import Json
from llmeval_mlflow_proxy.diagnosis.diagnosis_texts import translate
from llmeval_mlflow_proxy.page_language import Language

State = Literal["ok", "warning", "failed"]
_RANK: Mapping[State, int] = {"ok": 0, "warning": 1, "failed": 2}


@dataclass(frozen=True, slots=True)
class FindingAction:
    """A button: the path below the page that it posts to, and the tracker that it is for."""

    path: Literal["restore", "heal", "deliver"]
    tracker: str = ""


@dataclass(frozen=True, slots=True)
class FindingDetail:
    """A line below a finding, with a link into MLflow's pages (`#/...`) if there is one."""

    text: str
    link: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the diagnosis.

    Args:
        topic: what was checked; `topic.{topic}` is the key of its name in the translations.
        state: the result of the check.
        text_key: the key of the detail in the translations.
        values: the values in the translated texts; without secrets.
        remedy: the key of what to try; None if all is well, or nothing can be done.
        items: further lines.
        action: a button that helps; None if there is none.
    """

    topic: str
    state: State
    text_key: str
    values: Mapping[str, str | int] = field(default_factory=dict)
    remedy: str | None = None
    items: Sequence[FindingDetail] = ()
    action: FindingAction | None = None

    def name(self, language: Language) -> str:
        """Return the name of what was checked."""
        return translate(f"topic.{self.topic}", language)

    def detail(self, language: Language) -> str:
        """Return what was found."""
        return translate(self.text_key, language, **self.values)

    def hint(self, language: Language) -> str | None:
        """Return what to try."""
        return None if self.remedy is None else translate(self.remedy, language, **self.values)

    def as_json(self) -> dict[str, Json]:
        """Return it for programs, in English."""
        return {
            "topic": self.topic,
            "state": self.state,
            "detail": self.detail("en"),
            "hint": self.hint("en"),
            "code": self.text_key,
            "values": dict(self.values),
            "items": [item.text for item in self.items],
        }


def worst(findings: Sequence[Finding]) -> State:
    """Return the worst state, `ok` if there is no finding."""
    return max((finding.state for finding in findings), key=_RANK.__getitem__, default="ok")
