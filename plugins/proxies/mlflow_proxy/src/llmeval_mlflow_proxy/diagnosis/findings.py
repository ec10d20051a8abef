"""What a diagnosis finds, in words that can be said in each language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from llmeval_core.hooks import Json
from llmeval_mlflow_proxy.diagnosis.words import say
from llmeval_mlflow_proxy.languages import Language

State = Literal["ok", "warning", "failed"]
_RANK: Mapping[State, int] = {"ok": 0, "warning": 1, "failed": 2}


@dataclass(frozen=True, slots=True)
class Action:
    """A button: where it posts to, below the page, and what."""

    path: Literal["restore", "heal", "deliver"]
    tracker: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """One line below a finding, with a link into MLflow's pages (`#/...`) if there is one."""

    text: str
    link: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the diagnosis.

    Args:
        topic: what was looked at; `topic.{topic}` is its name in the words.
        state: how it is.
        word: the detail, in the words.
        values: what the words leave open; already free of secrets.
        cure: what to try, in the words; None if it is fine, or nothing can be done.
        items: further lines.
        action: a button that helps; None if there is none.
    """

    topic: str
    state: State
    word: str
    values: Mapping[str, str | int] = field(default_factory=dict)
    cure: str | None = None
    items: Sequence[Item] = ()
    action: Action | None = None

    def name(self, language: Language) -> str:
        """Return what was looked at."""
        return say(f"topic.{self.topic}", language)

    def detail(self, language: Language) -> str:
        """Return what was found."""
        return say(self.word, language, **self.values)

    def hint(self, language: Language) -> str | None:
        """Return what to try."""
        return None if self.cure is None else say(self.cure, language, **self.values)

    def as_json(self) -> dict[str, Json]:
        """Return it for programs, in English."""
        return {
            "topic": self.topic,
            "state": self.state,
            "detail": self.detail("en"),
            "hint": self.hint("en"),
            "code": self.word,
            "values": dict(self.values),
            "items": [item.text for item in self.items],
        }


def worst(findings: Sequence[Finding]) -> State:
    """Return the worst state, `ok` if there is no finding."""
    return max((finding.state for finding in findings), key=_RANK.__getitem__, default="ok")
