"""The answers that others gave to the same samples: of another model, or the references."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from llmeval_core.api import (
    SampleCriteria,
    existing_journal,
    find_samples,
    project_folder,
    stream_samples,
)
from llmeval_core.hooks import (
    ConfigError,
    Sample,
    expand_path,
    fingerprint,
    plain_text,
    reasoning_finder,
    split_answers,
)
from llmeval_judges.human_labels import answer_in, json_lines, question_in


@dataclass(frozen=True, slots=True)
class OtherAnswers:
    """What answers are compared with.

    Args:
        name: of the other side.
        by_id: its answers by the ids of their samples, with the questions they answer; None for
            the references of the samples themselves.
    """

    name: str
    by_id: Mapping[str, tuple[str | None, str]] | None = None

    def of(self, sample: Sample) -> str:
        """Return the other answer to a sample.

        Raises:
            ValueError: there is none, or it answers another question.
        """
        if self.by_id is None:
            if not sample.references:
                raise ValueError("the sample has no reference to compare with")
            return sample.references[0]
        found = self.by_id.get(sample.id)
        if found is None:
            raise ValueError(f"{self.name} has no answer to sample '{sample.id}'")
        question, answer = found
        if question is not None and question.strip() != sample.input_text.strip():
            raise ValueError(f"the answer of {self.name} to '{sample.id}' is to another question")
        return answer

    def digest(self) -> str:
        """Return what decides the other side's part in the numbers."""
        if self.by_id is None:
            return "reference"
        return fingerprint([[key, list(pair)] for key, pair in sorted(self.by_id.items())])


def find_answers(against: str, task: str | None, *, home: Path | None = None) -> OtherAnswers:
    """Find what answers are compared with.

    Args:
        against: `reference`, a JSON Lines file, or a model whose answers are in the journal.
        task: the key of its task.
        home: the project's folder; None for the usual one.

    Raises:
        ConfigError: there is no such file, or no such answer.
    """
    if against == "reference":
        return OtherAnswers("the reference")
    path = expand_path(against)
    if path.suffix in (".jsonl", ".json", ".ndjson") or path.exists():
        return _in_file(path)
    if task is None:
        raise ConfigError(
            f"which answers of '{against}'?",
            hint="name the task: `against_task: faq_0shot`; a file's name ends in .jsonl",
        )
    return _in_journal(against, task, project_folder(home))


def _in_file(path: Path) -> OtherAnswers:
    """Read the answers of a file; lines of `llmeval samples` that have none are left out.

    Raises:
        ConfigError: a line is no answer, or two lines have answers to the same sample.
    """
    found: dict[str, tuple[str | None, str]] = {}
    for number, row in json_lines(path):
        where = f"{path}, line {number}"
        answer, given = answer_in(row), row.get("id")
        if answer is None and row.get("answered", "") is None:
            continue
        sample_id = given if isinstance(given, str) else plain_text(given)
        if answer is None or sample_id is None:
            raise ConfigError(
                "the line has no answer with the id of its sample",
                where=where,
                hint='a line looks like {"id": "1", "answer": "Paris"}; `llmeval samples TASK'
                " --json` prints such lines",
            )
        if sample_id in found:
            raise ConfigError(
                f"the id '{sample_id}' comes twice",
                where=where,
                hint="leave the answers of one model to one task",
            )
        found[sample_id] = (question_in(row), answer)
    if not found:
        raise ConfigError("there is no answer in the file", where=str(path))
    return OtherAnswers(path.name, found)


def _in_journal(model: str, task: str, home: Path) -> OtherAnswers:
    """Read the answers behind the result that stands; those that are none are left out."""
    found: dict[str, tuple[str | None, str]] = {}
    with existing_journal(home) as journal, journal.reader() as reader:
        selection = find_samples(reader, SampleCriteria(task, model=model))
        finder = reasoning_finder({})
        for result in stream_samples(reader, selection):
            if result.generation is not None and result.generation.texts:
                answer = split_answers(result.generation, finder)[0].answer
                found[result.sample.id] = (result.sample.input_text, answer)
    if not found:
        raise ConfigError(f"'{model}' has no answer to '{task}'", where=str(home))
    return OtherAnswers(model, found)
