"""A model whose answers end in all ways, by what it is asked; and questions for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from llmeval_core.hooks import (
    Aggregate,
    Component,
    ComponentConfig,
    Dataset,
    Generation,
    Metric,
    ModelInfo,
    ModelProvider,
    Request,
    Sample,
    Score,
    Settings,
    TaskDefaults,
    hookimpl,
    mean_aggregate,
    stop_reason,
)


class Endings:
    """Answers `reason | text | reasoning`: what stands in the question."""

    def describe(self, model: str) -> ModelInfo:
        return ModelInfo("endings", frozenset({"chat"}))

    async def open(self, model: str) -> Endings:
        return self

    async def generate(self, request: Request) -> Generation:
        reason, text, reasoning = request.messages[-1].text.split("|")
        return Generation(
            (text,),
            finish_reason=reason,
            stop_reasons=(stop_reason(reason),),
            reasonings=(reasoning,) if reasoning else (),
            n_prompt_tokens=3,
            n_completion_tokens=50,
            n_reasoning_tokens=40 if reasoning else None,
            refusal="I would rather not." if reason == "refusal" else None,
        )

    async def aclose(self) -> None:
        pass


QUESTIONS = (
    "stop|Paris|",
    "stop|Paris|It could be London",
    "length|The capital is the city|",
    "length||" + "Let me see. " * 100,
    "stop|<think>Paris?|",
    "content_filter||",
    "refusal||",
    "stop|Maybe London.</think>Paris|",
)


class Questions:
    defaults = TaskDefaults(metrics=(ComponentConfig(use="right"),))

    def __init__(self, settings: Settings) -> None:
        self.name = "ways"

    def samples(self) -> Iterator[Sample]:
        for n, text in enumerate(QUESTIONS):
            yield Sample(f"w{n}", text, ("Paris",), category="even" if n % 2 == 0 else "odd")

    def few_shot_pool(self) -> Iterator[Sample]:
        return self.samples()

    def size(self) -> int:
        return len(QUESTIONS)

    def fingerprint(self) -> str:
        return "ways"


class Right:
    definition = "right@1"
    higher_is_better = True

    def score(self, sample: Sample, generation: Generation) -> Score:
        return Score(float(generation.text == "Paris"), generation.text)

    def aggregate(self, scores: Iterable[Score]) -> Aggregate:
        return mean_aggregate(scores)


@hookimpl
def llmeval_register_models() -> Iterator[Component[Settings, ModelProvider]]:
    yield Component("endings", Settings, lambda settings: Endings(), "ends as it is told")


@hookimpl
def llmeval_register_datasets() -> Iterator[Component[Settings, Dataset]]:
    yield Component("ways", Settings, Questions, "ways to end")


@hookimpl
def llmeval_register_metrics() -> Iterator[Component[Settings, Metric]]:
    yield Component("right", Settings, lambda settings: Right(), "Paris or not")
