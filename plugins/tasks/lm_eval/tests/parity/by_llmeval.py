"""The comparison's other side: the contract of llmeval, driven as the engine drives it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from llmeval_lm_eval_tasks.lm_eval_settings import LmEvalSettings
from llmeval_lm_eval_tasks.metric_names import TaskMetricName
from llmeval_lm_eval_tasks.task_source import LmEvalSource

from llmeval_core.hooks import (
    Aggregate,
    Generation,
    Loglikelihood,
    Question,
    Score,
    Task,
    TaskOptions,
    TaskSet,
)
from llmeval_core.testing import RecordingAsk
from plugins.tasks.lm_eval.tests.parity import model_answers


@dataclass
class ContractResults:
    """What came of it.

    Args:
        tasks: as loaded.
        aggregates: by task or group, by metric.
        asked: the questions, in order.
    """

    tasks: TaskSet
    aggregates: dict[str, dict[str, Aggregate]] = field(default_factory=dict)
    asked: list[Question] = field(default_factory=list)


def evaluate_by_llmeval(
    settings: LmEvalSettings,
    *,
    answers: tuple[str, ...],
    n_shots: int | None = None,
    limit: int | None = None,
) -> ContractResults:
    """Evaluate tasks by the contract; scores go through JSON, as through the journal."""
    loaded = LmEvalSource(settings).load(TaskOptions(n_shots=n_shots, limit=limit))
    results = ContractResults(loaded)

    def answer(question: Question, role: str) -> Generation:
        results.asked.append(question)
        if question.mode == "loglikelihood":
            pairs = [
                model_answers.loglikelihood(question.prompt, c) for c in question.continuations
            ]
            return Generation(loglikelihoods=tuple(Loglikelihood(p, None, g) for p, g in pairs))
        if question.mode == "rolling":
            found = Loglikelihood(model_answers.rolling(question.continuations[0]))
            return Generation(loglikelihoods=(found,))
        text = model_answers.written(prompt_of(question), question.draw, answers)
        return Generation((text,))

    async def run(task: Task) -> None:
        scores: dict[str, list[Score]] = {name: [] for name in task.metrics}
        for number, item in enumerate(task.items()):
            if number == limit:
                break
            ask = RecordingAsk({}, answer)
            found = task.score(item, await task.answer(item, ask), ask)
            assert isinstance(found, dict)
            assert set(found) == set(scores)
            for name, score in found.items():
                scores[name].append(through_json(score))
        results.aggregates[task.name] = {
            name: info.aggregate(scores[name]) for name, info in task.metrics.items()
        }

    for task in loaded.tasks:
        asyncio.run(run(task))
    for group in loaded.groups:
        found = results.aggregates.setdefault(group.name, {})
        assert set(group.metrics).isdisjoint(found)
        for name, metric in group.metrics.items():
            members = [results.aggregates[member][name] for member in metric.members]
            found[name] = metric.aggregate(members)
    return results


def prompt_of(question: Question) -> str:
    """Return the one text that an answer is made of."""
    if question.mode == "chat":
        return model_answers.chat_text((one.role, one.text) for one in question.messages)
    return question.prompt


def requests_of(asked: list[Question]) -> list[tuple[str, ...]]:
    """Write questions as the requests that lm-eval's models get, without settings."""
    found: list[tuple[str, ...]] = []
    for question in asked:
        if question.mode == "loglikelihood":
            found += [(question.prompt, one) for one in question.continuations]
        else:
            found.append((question.continuations or (prompt_of(question),))[:1])
    return found


def through_json(score: Score) -> Score:
    """Write a score and read it again, as the journal does."""
    written = json.dumps([score.value, score.parsed, score.parts, score.details], allow_nan=False)
    value, parsed, parts, details = json.loads(written)
    return Score(value, parsed, tuple(parts), details)


def together(numbers: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Put a group with one metric of fewer tasks together again, as lm-eval shows it."""
    joined = {name: dict(of_task) for name, of_task in numbers.items()}
    joined.setdefault("own_group", {}).update(joined.pop("own_group.acc_norm", {}))
    return {name: of_task for name, of_task in joined.items() if of_task}


def numbers_of(results: dict[str, Any]) -> dict[str, Any]:
    """Return numbers and standard errors of one task or group of lm-eval's, by our names."""
    found = {}
    for key, value in results.items():
        metric, comma, name = key.partition(",")
        if not comma or metric.endswith("_stderr"):
            continue
        stderr = results[f"{metric}_stderr,{name}"]
        own = TaskMetricName(metric, name, higher_is_better=True).key
        found[own] = (value, None if stderr == "N/A" else stderr)
    return found
