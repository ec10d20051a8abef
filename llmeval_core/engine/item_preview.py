"""What a task that asks as it likes would cost: its first questions, and about what follows."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from llmeval_core.contracts import MODEL, Item, Task
from llmeval_core.engine.estimates import UNKNOWN_COMPLETION_TOKENS, Estimate, estimate
from llmeval_core.engine.past_usage import PastUsage
from llmeval_core.engine.prompted_task import PromptedTask
from llmeval_core.engine.spending import cost_of
from llmeval_core.errors import DatasetError, wrap_plugin_errors
from llmeval_core.journal import Journal, JournalQueries
from llmeval_core.plan import Plan, PlannedModel, PlannedRole, PlannedTask
from llmeval_core.prompting import PromptRenderer, make_request
from llmeval_core.records import Failure, Request
from llmeval_core.scoring import Scorer
from llmeval_core.tokens import prompt_tokens

_BATCH = 256


@dataclass(frozen=True, slots=True)
class RolePreview:
    """What a task would ask of a model beside the evaluated one.

    Args:
        role, model: who.
        n_requests: requests still to be sent, about.
        estimate: what they will use.
    """

    role: str
    model: str
    n_requests: int
    estimate: Estimate


@dataclass(frozen=True, slots=True)
class ItemCounts:
    """The items of a task, counted.

    Args:
        n_samples: items; `n_finished` of them an earlier run finished.
        n_unusable: items whose prompt cannot be made.
        n_requests: different first questions still to be asked, and about what follows them.
        estimate: what these will use.
        roles: what others would be asked.
    """

    n_samples: int
    n_finished: int
    n_unusable: int
    n_requests: int
    estimate: Estimate
    roles: tuple[RolePreview, ...]


def first_requests(
    model: PlannedModel, task: PlannedTask
) -> Iterator[tuple[Item, tuple[Request, ...]]]:
    """Stream the items of a task with the requests that their first questions become; blocking.

    Raises:
        LlmevalError: a prompt is wrong, or the items cannot be read.
    """
    what = f"task '{task.dataset_name}' cannot give its items"
    with wrap_plugin_errors(DatasetError, what, where=task.key):
        items = iter(_ready(task).items())
    for _ in itertools.count() if task.limit is None else range(task.limit):
        with wrap_plugin_errors(DatasetError, what, where=task.key):
            item = next(items, None)
            if item is None:
                return
            requests = tuple(
                make_request(
                    question,
                    sample_id=item.sample.id,
                    model=model,
                    settings=question.settings or task.generation,
                )
                for question in item.questions
            )
        yield item, requests


def _ready(task: PlannedTask) -> Task:
    if task.task is not None:
        return task.task
    renderer = PromptRenderer(task)
    renderer.load_pool()
    return PromptedTask(task, renderer, Scorer(task))


def count_items(
    plan: Plan,
    model: PlannedModel,
    task: PlannedTask,
    journal: Journal | None,
    *,
    usage: PastUsage,
    n_at_once: int,
) -> ItemCounts:
    """Count what a task would ask of all its models; blocking.

    Raises:
        LlmevalError: a prompt is wrong, or the items cannot be read.
    """
    count = _ItemCounter(task, journal)
    stream = enumerate(first_requests(model, task))
    while batch := list(itertools.islice(stream, _BATCH)):
        count.add([(index, item, requests) for index, (item, requests) in batch])
    n_left = count.n_samples - count.n_finished - count.n_unusable
    n_requests = count.n_first + n_left * task.roles.get(MODEL, 0)
    n_read = count.n_tokens / count.n_first if count.n_first else 0.0
    of_model, of_one = (
        estimate(
            model,
            task,
            usage,
            n_requests=n,
            n_prompt_tokens=round(n_read * n),
            n_at_once=n_at_once,
        )
        for n in (n_requests, 1)
    )
    n_judged = count.n_read_by_others + of_one.n_completion_tokens
    return ItemCounts(
        count.n_samples,
        count.n_finished,
        count.n_unusable,
        n_requests,
        of_model,
        tuple(
            _of_role(name, plan.roles[name], n_left * n, n_judged)
            for name, n in task.roles.items()
            if name in plan.roles
        ),
    )


def _of_role(name: str, role: PlannedRole, n_requests: int, n_read: float) -> RolePreview:
    """Estimate what a role is asked: it reads about the question and the answer."""
    n_prompt_tokens = round(n_requests * n_read)
    most = role.generation.max_tokens
    n_completion_tokens = n_requests * (UNKNOWN_COMPLETION_TOKENS if most is None else most)
    price = role.model.price
    return RolePreview(
        name,
        role.model.name,
        n_requests,
        Estimate(
            n_prompt_tokens,
            n_completion_tokens,
            cost_of(price, n_prompt_tokens, n_completion_tokens) if price else None,
            None,
            "the question and the answer it is about",
        ),
    )


class _ItemCounter:
    """Counts items, and the first questions that are new.

    Attributes:
        n_samples, n_finished, n_unusable: items.
        n_first, n_tokens: different first questions that nobody answered, and their tokens.
    """

    def __init__(self, task: PlannedTask, journal: Journal | None) -> None:
        self._journal = journal
        stored = None if journal is None else journal.read(JournalQueries.task, task.fingerprint)
        self._task_id = None if stored is None else stored.id
        self._seen: set[str] = set()
        self.n_samples = self.n_finished = self.n_unusable = 0
        self.n_first = self.n_tokens = 0
        self._n_open = self._n_open_tokens = 0

    @property
    def n_read_by_others(self) -> float:
        """Tokens of a first question of an item that is not finished, answered or not; the mean."""
        return self._n_open_tokens / self._n_open if self._n_open else 0.0

    def add(self, batch: list[tuple[int, Item, tuple[Request, ...]]]) -> None:
        """Count some items, with their places."""
        self.n_samples += len(batch)
        finished: set[int] = set()
        answered: set[str] = set()
        if self._journal is not None:
            if self._task_id is not None:
                first, last = batch[0][0], batch[-1][0]
                finished = self._journal.read(
                    JournalQueries.finished_indices, self._task_id, first, last
                )
            asked = [request.fingerprint for _, _, requests in batch for request in requests]
            answered = self._journal.read(JournalQueries.answered, asked)
        self.n_finished += len(finished)
        for index, item, requests in batch:
            if index in finished:
                continue
            self.n_unusable += isinstance(item.payload, Failure)
            for request in requests:
                if request.fingerprint in self._seen:
                    continue
                self._seen.add(request.fingerprint)
                n_tokens = prompt_tokens(request)
                self._n_open += 1
                self._n_open_tokens += n_tokens
                if request.fingerprint not in answered:
                    self.n_first += 1
                    self.n_tokens += n_tokens
