"""Tasks of a plan: what is asked, how it is answered, and how it is scored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from llmeval_core.config import AnswerBy, Examples, ExtractConfig, FewShotConfig, TruncatedAnswers
from llmeval_core.contracts import AskingMetric, Dataset, Metric, Solver, Task, TaskGroup, Tool
from llmeval_core.naming import Json
from llmeval_core.reasoning import Tags
from llmeval_core.records import GenerationSettings, Mode


@dataclass(frozen=True, slots=True)
class PlannedMetric:
    """A metric under the name that its keys will have, with its settings as written.

    Args:
        plugin: the distribution that it comes from, with its version, for messages.
        asked: the models that it asks, by role; empty if it only computes.
    """

    name: str
    metric: Metric | AskingMetric
    settings: Mapping[str, Json]
    plugin: str = "its plugin"
    asked: Mapping[str, str] = field(default_factory=dict)

    @property
    def definition(self) -> str:
        """The id of what is computed, and by the judgement of which models.

        Such as `judge@correctness-1-0f3c2a91+judge=openai/gpt-4o`, in the order of the roles.
        """
        asked = [f"+{role}={model}" for role, model in sorted(self.asked.items())]
        return self.metric.definition + "".join(asked)


@dataclass(frozen=True, slots=True)
class PlannedSolver:
    """How samples are answered with more than one request.

    Args:
        name: as the run file names it.
        solver: the solver.
        tools: what it lets models call, by the names that these are told.
        settings: as written.
        plugin: the distribution that it comes from, for messages.
    """

    name: str
    solver: Solver
    tools: Mapping[str, Tool]
    settings: Mapping[str, Json]
    plugin: str = "its plugin"


@dataclass(frozen=True, slots=True)
class PlannedPrompt:
    """How samples become requests, every default filled in; templates are Jinja2 text."""

    system: str | None
    preamble: str | None
    template: str
    answer: str
    continuation: str
    separator: str
    examples: Examples


@dataclass(frozen=True, slots=True)
class PlannedTask:
    """One model's task: a data set with a number of shots, asked and scored in one way.

    Args:
        key: `{dataset}_{n}shot`.
        dataset_name: the name in the key.
        dataset: where samples come from.
        dataset_fingerprint: content and settings of the data set.
        n_samples: how many samples there are, after the limit; None if unknown.
        n_total: samples in the data set, without the limit; None if unknown.
        limit: first n samples only; None for all.
        variant: the name of this way of asking and scoring, part of the key; None for the only
            one.
        mode: how the model is asked.
        answer_by: how the answer is given, never `auto`.
        fingerprint: everything that decides the numbers: the key of its results.
        cache_key: everything that decides the requests, whatever the limit and the metrics: the
            key of their answers. Tasks that share it share answers, which are then found by their
            places alone: whatever changes a request must change it.
        definition_fingerprint: everything that decides the numbers but the model: tasks of several
            models that share it have the same samples, prompts and scores of equal answers.
        settings: what people and trackers may read of all this.
        reasoning_tags: between which tags reasoning stands in a text; None for all that are known.
        truncated: whether answers that were cut off go into the aggregates.
        task: the ready-made task that this is; None for a data set with a prompt and metrics.
            `dataset`, `prompt` and what belongs to them then say nothing of how it is asked.
        solver: how samples are answered; None for one request each.
        roles: who is asked besides, and about how many requests a sample makes; of `model` what
            comes besides the first request.
    """

    key: str
    dataset_name: str
    dataset: Dataset
    dataset_fingerprint: str
    n_shots: int
    n_samples: int | None
    limit: int | None
    seed: int
    mode: Mode
    answer_by: AnswerBy
    prompt: PlannedPrompt
    few_shot: FewShotConfig
    generation: GenerationSettings
    extract: ExtractConfig | None
    metrics: tuple[PlannedMetric, ...]
    fingerprint: str
    cache_key: str
    definition_fingerprint: str
    settings: Mapping[str, Json]
    reasoning_tags: Tags | None = None
    truncated: TruncatedAnswers = "score"
    n_total: int | None = None
    variant: str | None = None
    task: Task | None = None
    solver: PlannedSolver | None = None
    roles: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_plain(self) -> bool:
        """Whether each sample is one request, and metrics only compute."""
        return self.task is None and self.solver is None and not self.roles


@dataclass(frozen=True, slots=True)
class PlannedGroup:
    """Tasks of one model that make a result together.

    Args:
        key: `{name}_{n}shot`.
        group: which metrics, and how they are put together.
        members: the keys of the tasks, by their names.
        fingerprint: everything that decides the numbers.
    """

    key: str
    group: TaskGroup
    n_shots: int
    variant: str | None
    members: Mapping[str, str]
    fingerprint: str
