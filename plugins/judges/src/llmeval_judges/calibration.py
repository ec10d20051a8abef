"""What a check found, kept with all that decides a judge's verdicts, and void when that changes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from pydantic import Field, ValidationError

from llmeval_core.hooks import ConfigError, Json, Settings, fingerprint
from llmeval_core.support import write_atomically
from llmeval_judges.judge_prompt import JudgePrompt, rubric_prompt
from llmeval_judges.juror import VerdictRequest
from llmeval_judges.rubric import load_rubric

FOLDER = "judges"


class Calibration(Settings):
    """How far a judge agrees with people."""

    rubric: str = Field(description="Its name, or the path of its file.")
    version: int = Field(description="The rubric's version.")
    model: str = Field(description="The judge, `provider/model`.")
    served_by: tuple[str, ...] = Field(description="Who answered, by the server's own word.")
    verdict_by: str = Field(description="How verdicts were asked for.")
    ask_again: bool = Field(description="Whether it was asked once more.")
    max_reason: int | None = Field(description="Most characters of a reason.")
    asked: str = Field(description="Digest of all that the judge is told but the texts.")
    n_compared: int = Field(description="Answers with a label and a verdict.")
    n_unscored: int = Field(description="Answers without a verdict.")
    agreement: float | None = Field(description="Share of the same verdicts.")
    base_rate: float | None = Field(description="Share of the most frequent label.")
    kappa: float | None = Field(description="Agreement beyond chance.")
    weights: str = Field(description="How kappa weighs disagreements.")
    labels: str = Field(description="Digest of the labels.")
    checked_at: float = Field(description="Seconds since 1970, UTC.")

    @property
    def fingerprint(self) -> str:
        """What identifies the judge: rubric, all that it is told, and the model."""
        return judge_fingerprint(self.asked, self.model)

    def in_words(self) -> str:
        """Say it in a line."""
        kappa = "none" if self.kappa is None else f"{self.kappa:.3f}"
        agreement = "none" if self.agreement is None else f"{self.agreement:.3f}"
        base = "none" if self.base_rate is None else f"{self.base_rate:.3f}"
        return f"kappa {kappa}, agreement {agreement} (base rate {base}), {self.n_compared} labels"

    def problem(self, served_by: frozenset[str] = frozenset()) -> str | None:
        """Say why it is void; None if it holds.

        Args:
            served_by: who answers now, by the server's own word; empty if that is not known.
        """
        try:
            rubric = load_rubric(self.rubric)
        except ConfigError as err:
            return f"the rubric cannot be read any more: {err.what}"
        prompt = rubric_prompt(rubric, max_reason=self.max_reason)
        if self.asked != asked_digest(prompt, by=self.verdict_by, asks_again=self.ask_again):
            return "the rubric or the judge's prompt has changed"
        others = served_by - set(self.served_by)
        if self.served_by and others:
            return f"the model is served by {', '.join(sorted(others))} now"
        return None


def asked_digest(prompt: JudgePrompt, *, by: str, asks_again: bool) -> str:
    """Return a digest of all that a judge is told but the texts."""
    told: Json = [prompt.as_json(), by, asks_again]
    return fingerprint(told)


def digest_of_request(request: VerdictRequest) -> str:
    """Return a digest of all that a judge is told but the texts."""
    return asked_digest(request.prompt, by=request.by, asks_again=request.asks_again)


def judge_fingerprint(asked: str, model: str) -> str:
    """Return what identifies a judge."""
    return fingerprint([asked, model])


def store(calibration: Calibration, home: Path) -> Path:
    """Keep a calibration in the project's folder; the last one of a judge stands.

    Raises:
        ConfigError: it cannot be written.
    """
    folder = home / FOLDER
    words = f"{Path(calibration.rubric).stem}-{calibration.model}"
    name = re.sub(r"[^\w.-]+", "-", words)[:80]
    path = folder / f"{name}-{calibration.fingerprint[:8]}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(path, calibration.model_dump_json(indent=2) + "\n")
    except OSError as err:
        raise ConfigError(f"the calibration cannot be kept: {err}", where=str(path)) from err
    return path


def stored(home: Path) -> Iterator[tuple[Path, Calibration | None]]:
    """Read what is kept in the project's folder; None for a file that is no calibration."""
    for path in sorted((home / FOLDER).glob("*.json")):
        try:
            yield path, Calibration.model_validate(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, ValidationError):
            yield path, None
