"""A plugin for tests of the pages: two data sets, models of different skill, hostile texts."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from hashlib import sha256

from pydantic import Field

from llmeval_core.hooks import (
    Aggregate,
    Component,
    ComponentConfig,
    Dataset,
    Generation,
    Metric,
    ModelError,
    ModelInfo,
    ModelProvider,
    Request,
    Sample,
    Score,
    Settings,
    TaskDefaults,
    hookimpl,
    mean_aggregate,
)

HOSTILE = (
    "<script>document.title='taken over'</script>",
    "<img src=x onerror=\"document.title='taken over'\">",
    "left \u202eto right\u202c, a bell \x07, a NUL \x00, an escape \x1b[31m",
    "{{ 7 * 7 }} {% raw %}",
    "&amp; &lt;b&gt; \"quotes\" 'and more'",
    "x" * 1_000_000,
)
"""What a model answers in the data set `hostile`."""

_PLACES = {
    "Europe": [("France", "Paris"), ("Italy", "Rome"), ("Norway", "Oslo"), ("Poland", "Warsaw")],
    "Asia": [("Japan", "Tokyo"), ("Nepal", "Kathmandu"), ("Thailand", "Bangkok")],
    "Africa": [("Ghana", "Accra"), ("Kenya", "Nairobi"), ("Egypt", "Cairo")],
}
_KANJI = [
    ("一生懸命", "いっしょうけんめい"),
    ("東風", "こち"),
    ("五月雨", "さみだれ"),
    ("時雨", "しぐれ"),
]
_JA = "次の言葉の読みを、ひらがなだけで答えてください。説明は書かないこと。\n\n言葉: {} ({}番)"


class SizeSettings(Settings):
    """How many samples."""

    n: int = Field(default=40, ge=1)


class Listed:
    """Samples from a list, the last one's answer first in no order at all."""

    defaults = TaskDefaults(metrics=(ComponentConfig(use="exact"), ComponentConfig(use="distance")))

    def __init__(self, name: str, samples: list[Sample]) -> None:
        self.name = name
        self._samples = samples

    def samples(self) -> Iterator[Sample]:
        return iter(self._samples)

    def few_shot_pool(self) -> Iterator[Sample]:
        return self.samples()

    def size(self) -> int:
        return len(self._samples)

    def fingerprint(self) -> str:
        return sha256(repr(self._samples).encode()).hexdigest()


def capitals(settings: SizeSettings) -> Dataset:
    """Capitals of the world, by continent."""
    classifier = [(part, *place) for part, listed in _PLACES.items() for place in listed]
    samples = []
    for i in range(settings.n):
        part, country, city = classifier[i % len(classifier)]
        question = (
            f"Question {i + 1}: which city is the capital of {country}? Answer with its name."
        )
        samples.append(Sample(f"capital-{i:04}", question, (city,), category=part))
    return Listed("capitals", samples)


def readings(settings: SizeSettings) -> Dataset:
    """How Japanese words are read."""
    samples = []
    for i in range(settings.n):
        word, reading = _KANJI[i % len(_KANJI)]
        samples.append(Sample(f"読み-{i:04}", _JA.format(word, i + 1), (reading,)))
    return Listed("ja_readings", samples)


def hostile(settings: SizeSettings) -> Dataset:
    """Texts that try to be more than text."""
    samples = [
        Sample(f"<b>{i}</b>", text[:3000], (text[:3000],), category="<i>category</i>")
        for i, text in enumerate(HOSTILE)
    ]
    return Listed("hostile", samples)


class Tutor:
    """Knows the answers of a part of the questions, by the number at the end of its name."""

    def __init__(self, settings: Settings) -> None:
        self._answers = {
            sample.input: sample.references[0]
            for make in (capitals, readings)
            for sample in make(SizeSettings(n=2000)).samples()
        }
        self._name = ""

    def describe(self, model: str) -> ModelInfo:
        return ModelInfo(f"tutor {model}", frozenset({"chat"}))

    async def open(self, model: str) -> Tutor:
        if model == "locked":
            raise ModelError("auth", "the key is wrong")
        self._name = model
        return self

    async def generate(self, request: Request) -> Generation:
        question = request.messages[-1].text
        await asyncio.sleep(0.15 if "slow" in self._name else 0)
        if question not in self._answers:
            found = next((text for text in HOSTILE if text[:3000] == question), question)
            return Generation((found,), n_prompt_tokens=5, n_completion_tokens=9)
        luck = sha256((self._name + question).encode()).digest()[0] / 256
        if luck > 0.97:
            raise ModelError("bad_request", "the prompt was refused by the content filter")
        skill = int(self._name.rpartition("-")[2]) / 100
        answer = self._answers[question] if luck < skill else "I am not sure, perhaps Atlantis."
        return Generation(
            (answer,),
            finish_reason="stop",
            n_prompt_tokens=24,
            n_completion_tokens=7,
            latency_s=0.42,
            served_by=self._name,
        )

    async def aclose(self) -> None:
        """Keep nothing."""


class ShowcaseExact:
    """Whether the answer is the reference."""

    definition = "exact@showcase"
    higher_is_better = True

    def score(self, sample: Sample, generation: Generation) -> Score:
        return Score(float(generation.text in sample.references), generation.text[:200])

    def aggregate(self, scores: Iterable[Score]) -> Aggregate:
        return mean_aggregate(scores)


class Distance:
    """How far the answer's length is from the reference's, at most 1."""

    definition = "distance@showcase"
    higher_is_better = False

    def score(self, sample: Sample, generation: Generation) -> Score:
        gap = abs(len(generation.text) - len(sample.references[0]))
        return Score(min(1.0, gap / 40))

    def aggregate(self, scores: Iterable[Score]) -> Aggregate:
        return mean_aggregate(scores)


@hookimpl
def llmeval_register_datasets() -> Iterable[Component[SizeSettings, Dataset]]:
    """Offer the data sets."""
    yield Component("capitals", SizeSettings, capitals, "capitals of the world", argument="n")
    yield Component(
        "ja_readings", SizeSettings, readings, "how Japanese words are read", argument="n"
    )
    yield Component("hostile", SizeSettings, hostile, "texts that try to be more than text")


@hookimpl
def llmeval_register_models() -> Iterable[Component[Settings, ModelProvider]]:
    """Offer the models."""
    yield Component("tutor", Settings, Tutor, "knows a part of the answers: tutor/NAME-PERCENT")


@hookimpl
def llmeval_register_metrics() -> Iterable[Component[Settings, Metric]]:
    """Offer the metrics."""
    yield Component(
        "exact", Settings, lambda settings: ShowcaseExact(), "the answer is the reference"
    )
    yield Component("distance", Settings, lambda settings: Distance(), "distance of lengths")
