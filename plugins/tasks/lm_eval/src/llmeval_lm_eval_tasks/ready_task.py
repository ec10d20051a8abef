"""One of lm-eval's tasks as a task of llmeval: lm-eval makes prompts and scores, we ask."""

from __future__ import annotations

import asyncio
import copy
import functools
import importlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from llmeval_core.hooks import (
    Ask,
    Generation,
    Item,
    MetricInfo,
    Mode,
    Score,
    fingerprint,
)
from llmeval_lm_eval_tasks.aggregates import AggregateFunction, aggregate_values
from llmeval_lm_eval_tasks.data_identity import check_reachable, config_identity, data_identity
from llmeval_lm_eval_tasks.documents import SeenFields
from llmeval_lm_eval_tasks.hub_commits import HubCommits
from llmeval_lm_eval_tasks.lm_eval_library import (
    build_task,
    draws_random_numbers,
    foreign_code,
    imported,
    load_library,
)
from llmeval_lm_eval_tasks.lm_eval_settings import LmEvalSettings
from llmeval_lm_eval_tasks.metric_names import TaskMetricName
from llmeval_lm_eval_tasks.questions import AskedDocument, ChatPrompt, QuestionMaker, UnknownGreedy
from llmeval_lm_eval_tasks.randomness import OwnRandomness
from llmeval_lm_eval_tasks.score_values import as_score, no_score
from llmeval_lm_eval_tasks.task_selection import TaskChoice

REVISION = 1
"""Raised when this plugin begins to ask or to score otherwise."""

_ADDS_UP = ("mean", "median", "nanmean", "perplexity")


@dataclass(frozen=True, slots=True)
class LibraryState:
    """What all tasks of one source have in common: lm-eval's version, the commits of their data."""

    version: str
    commits: HubCommits


class LmEvalTask:
    """A task of lm-eval; its data are loaded when the first item is wanted.

    Args:
        choice: what its YAML says.
        settings: of the run file.
        names: its metrics.
        modes: how it asks.
        n_shots: how many examples its prompts show.
        maker: makes questions of lm-eval's requests.
        library: lm-eval's version, and what is known of the hub.
    """

    def __init__(
        self,
        choice: TaskChoice,
        settings: LmEvalSettings,
        *,
        names: Sequence[TaskMetricName],
        modes: frozenset[Mode],
        n_shots: int,
        maker: QuestionMaker,
        library: LibraryState,
    ) -> None:
        self._choice = choice
        self._settings = settings
        self._names = tuple(names)
        self._maker = maker
        self._library = library
        self._loading = threading.Lock()
        self._task: Any = None  # Any: lm-eval's own type
        self.name = choice.name.replace("::", ".")
        self.n_shots = n_shots
        self.modes = modes
        self.roles: Mapping[str, int] = {}
        metadata = choice.config.get("metadata")
        version = metadata.get("version") if isinstance(metadata, dict) else None
        self.metrics: Mapping[str, MetricInfo] = {
            one.key: MetricInfo(
                one.definition(library.version, self.name, version),
                one.higher_is_better,
                functools.partial(self._aggregate, one),
            )
            for one in names
        }

    def fingerprint(self) -> str:
        """Return a digest of lm-eval's version, the YAML, its modules, the data and settings."""
        settings = self._settings
        return fingerprint(
            [
                "lm_eval",
                REVISION,
                self._library.version,
                config_identity(self._choice),
                data_identity(self._choice.config, self._library.commits),
                self.n_shots,
                settings.system_instruction,
                [settings.apply_chat_template, settings.fewshot_as_multiturn],
                settings.think_end_token,
                settings.fewshot_seed,
                settings.bootstrap_iters,
                dict(settings.metadata),
                dict(self._maker.generation),
            ]
        )

    def size(self) -> int | None:
        """Count the documents, if they are loaded."""
        documents = getattr(self._task, "task_docs", None)
        return None if documents is None else len(documents)

    def loaded(self) -> Any:
        """Return lm-eval's task object, made once; Any: it has no types. Blocking.

        Raises:
            ConfigError, DatasetError: it cannot be loaded.
        """
        with self._loading:
            if self._task is None:
                check_reachable(self._choice.config, task=self.name)
                randomness = OwnRandomness()
                load_library()
                with randomness.installed():
                    task = build_task(self._choice, self._settings.metadata)
                task.set_config(key="num_fewshot", value=self.n_shots)
                self._task, self._randomness = task, randomness
            return self._task

    def items(self) -> Iterator[Item]:
        """Make prompts document by document, from the first: examples are drawn in this order."""
        loaded = self.loaded()
        task = copy.copy(loaded)  # its own draws: several may stream at once
        if hasattr(loaded, "sampler"):
            task.sampler = copy.copy(loaded.sampler)
        task.set_fewshot_seed(self._settings.fewshot_seed)
        seen = SeenFields(task)
        drawing = draws_random_numbers(self._choice)
        randomness = copy.copy(self._randomness)
        with foreign_code(f"lm-eval's task '{self.name}' cannot read its data"):
            with randomness.installed():
                documents = task.eval_docs
            for number, doc in enumerate(documents):
                with randomness.installed() if drawing else nullcontext():
                    item = self._item(task, seen, number, doc)
                yield item

    def _item(self, task: Any, seen: SeenFields, number: int, doc: Any) -> Item:
        """Do for one document what lm-eval's `build_all_requests` does; Any: its own types."""
        settings = self._settings
        seen.begin(doc)
        template = ChatPrompt.of if settings.apply_chat_template else None
        context = task.fewshot_context(
            doc,
            num_fewshot=self.n_shots,
            system_instruction=settings.system_instruction,
            apply_chat_template=settings.apply_chat_template,
            fewshot_as_multiturn=settings.fewshot_as_multiturn,
            chat_template=template,
            gen_prefix=task.doc_to_prefix(doc),
        )
        made = task.construct_requests(
            doc=doc,
            ctx=context,
            metadata=(task.config["task"], number, task.config.repeats),
            apply_chat_template=settings.apply_chat_template,
            chat_template=template,
        )
        requests = made if isinstance(made, list) else [made]
        questions, asked = self._maker.questions(doc, requests)
        return Item(seen.sample(number, context), tuple(questions), asked)

    async def answer(self, item: Item, ask: Ask) -> Sequence[Generation]:
        """Ask all questions of a document at once."""
        if len(item.questions) == 1:
            return [await ask(item.questions[0])]
        return await asyncio.gather(*[ask(question) for question in item.questions])

    def score(self, item: Item, answers: Sequence[Generation], ask: Ask) -> dict[str, Score]:
        """Let lm-eval filter and judge the answers of one document.

        Raises:
            ValueError: it cannot be scored.
        """
        asked = item.payload
        if not isinstance(asked, AskedDocument):
            raise TypeError("an item of another task")
        task = self._task
        responses = self._maker.responses(
            asked, answers, unknown_greedy=False if self._ignores_greedy(task) else UnknownGreedy()
        )
        scores: dict[str, Score] = {}
        try:
            judged = list(self._judged(task, asked, responses))
        except ValueError:
            raise
        except Exception as err:  # filters and metrics are anybody's code
            raise ValueError(f"lm-eval cannot score it: {type(err).__name__}: {err}") from err
        for name, values, filtered in judged:
            scores.update(self._scores(task, name, values, filtered))
        for key in self.metrics:
            scores.setdefault(key, no_score())
        return scores

    def _judged(
        self, task: Any, asked: AskedDocument, responses: list[list[Any]]
    ) -> Iterator[tuple[str, Mapping[str, Any], list[Any]]]:
        """Give what each filter leaves of the responses, and lm-eval's values of that.

        Any: lm-eval's own types.
        """
        requests = [copy.copy(request) for request in asked.requests]
        for request, found in zip(requests, responses, strict=True):
            request.resps, request.filtered_resps = found, {}
        for ensemble in task._filters:
            ensemble.apply(requests)
        requests.sort(key=lambda request: request.idx)
        for ensemble in task._filters:
            filtered = [request.filtered_resps[ensemble.name] for request in requests]
            yield ensemble.name, task.process_results(asked.doc, filtered), filtered

    def _scores(
        self, task: Any, filter_name: str, values: Mapping[str, Any], filtered: list[Any]
    ) -> dict[str, Score]:
        parsed = filtered[0] if len(filtered) == 1 and isinstance(filtered[0], str) else None
        functions = task.aggregation()
        scores = {}
        for metric, value in values.items():
            key = TaskMetricName(metric, filter_name, higher_is_better=True).key
            if key not in self.metrics:
                raise ValueError(
                    f"'{self.name}' gives a metric '{metric}' that it does not declare"
                )
            adds_up = getattr(functions.get(metric), "__name__", "mean") in _ADDS_UP
            scores[key] = as_score(value, adds_up=adds_up, parsed=parsed)
        return scores

    def _ignores_greedy(self, task: Any) -> bool:
        """Whether lm-eval computes with greediness, but uses it for no number."""
        return (
            task.OUTPUT_TYPE == "multiple_choice"
            and not callable(getattr(task.config, "process_results", None))
            and "exact_match" not in task.aggregation()
        )

    def _aggregate(self, name: TaskMetricName, scores: Any) -> Any:
        load_library()
        return aggregate_values(
            self._function(name.metric),
            name.metric,
            scores,
            n_resamples=self._settings.bootstrap_iters,
        )

    def _function(self, metric: str) -> AggregateFunction:
        """Find the aggregation of a metric; its data need not be loaded for that."""
        if self._task is not None:
            found = self._task.aggregation().get(metric)
        else:
            found = declared_aggregation(self._choice, metric)
        mean: AggregateFunction = importlib.import_module("lm_eval.api.metrics").mean
        return mean if found is None else found


def declared_aggregation(choice: TaskChoice, metric: str) -> AggregateFunction | None:
    """Find the aggregation that a task's YAML declares for a metric; None if it does not."""
    registry = importlib.import_module("lm_eval.api.registry")
    found: AggregateFunction | None = registry.get_metric_aggregation(metric)
    for declared in choice.config.get("metric_list") or []:
        with foreign_code(f"lm-eval's task '{choice.name}' cannot be aggregated"):
            read = imported(declared)
        name = read["metric"]
        if (name.__name__ if callable(name) else name) == metric and "aggregation" in read:
            function = read["aggregation"]
            found = registry.get_aggregation(function) if isinstance(function, str) else function
    return found
