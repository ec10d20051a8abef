"""The hooks: judges as metrics, questions for them, and what shows how far to trust them."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

import click

from llmeval_core.hooks import AskingMetric, Component, Dataset, Metric, Settings, Task, hookimpl
from llmeval_judges import judge_command
from llmeval_judges.chat_benchmarks import BENCHMARKS, ChatBenchmark, ChatBenchmarkSettings
from llmeval_judges.judge_settings import (
    ChoiceJudgeSettings,
    JudgeCheckSettings,
    PairwiseJudgeSettings,
    RubricJudgeSettings,
)

_Metric = Component[Any, Any]  # Any: each has its own settings; some metrics ask, one does not


@hookimpl
def llmeval_register_metrics() -> Iterable[_Metric]:
    """Offer the judges."""
    yield Component(
        "judge",
        RubricJudgeSettings,
        _rubric_judge,
        "a model judges answers by a rubric",
        argument="rubric",
        example="metrics: [{use: judge, rubric: correctness}]\nroles: {judge: openai/gpt-4o}",
    )
    yield Component(
        "judge_pairwise",
        PairwiseJudgeSettings,
        _pairwise_judge,
        "a model compares answers with others, in both orders",
        argument="against",
        example="metrics:\n"
        "  - judge_pairwise\n"
        "  - {use: judge_pairwise, number: flips, name: flips}\n"
        "roles: {judge: openai/gpt-4o}",
    )
    yield Component(
        "judge_choice",
        ChoiceJudgeSettings,
        _choice_judge,
        "a model reads which choice an answer means",
        argument="language",
        example="metrics: [judge_choice]\nroles: {judge: openai/gpt-4o}",
    )
    yield Component(
        "suspicious_answers",
        Settings,
        _suspicious_answers,
        "answers that speak to a judge",
        example="metrics: [judge, suspicious_answers]\nroles: {judge: openai/gpt-4o}",
    )


@hookimpl
def llmeval_register_datasets() -> Iterable[Component[ChatBenchmarkSettings, Dataset]]:
    """Offer questions without one right answer, which judges are for."""
    for benchmark in BENCHMARKS:
        yield Component(
            benchmark.name,
            ChatBenchmarkSettings,
            functools.partial(_chat_benchmark, benchmark),
            benchmark.summary,
            example=f"tasks: [{{dataset: {benchmark.name}}}]\nroles: {{judge: openai/gpt-4o}}",
        )


@hookimpl
def llmeval_register_commands() -> Iterable[click.Command]:
    """Offer `llmeval judge`."""
    yield judge_command.command


@hookimpl
def llmeval_register_tasks() -> Iterable[Component[JudgeCheckSettings, Task]]:
    """Offer the check of a judge against people, the judge being the model."""
    yield Component(
        "judge_check",
        JudgeCheckSettings,
        _judge_check,
        "how far a judge agrees with people",
        argument="labels",
        example="tasks: [{task: {use: judge_check, labels: labels.jsonl, rubric: correctness}}]",
    )


def _chat_benchmark(benchmark: ChatBenchmark, settings: ChatBenchmarkSettings) -> Dataset:
    from llmeval_judges.chat_questions import ChatQuestions  # noqa: PLC0415  as below

    return ChatQuestions(benchmark, settings)


def _judge_check(settings: JudgeCheckSettings) -> Task:
    from llmeval_judges.judge_check_task import JudgeCheck  # noqa: PLC0415  as below

    return JudgeCheck(settings)


def _rubric_judge(settings: RubricJudgeSettings) -> AskingMetric:
    from llmeval_judges.rubric_judge import RubricJudge  # noqa: PLC0415  spares asyncio and YAML

    return RubricJudge(settings)


def _pairwise_judge(settings: PairwiseJudgeSettings) -> AskingMetric:
    from llmeval_judges.pairwise_judge import PairwiseJudge  # noqa: PLC0415  as above

    return PairwiseJudge(settings)


def _choice_judge(settings: ChoiceJudgeSettings) -> AskingMetric:
    from llmeval_judges.choice_judge import ChoiceJudge  # noqa: PLC0415  as above

    return ChoiceJudge(settings)


def _suspicious_answers(settings: Settings) -> Metric:
    from llmeval_judges.suspicion import SuspiciousAnswers  # noqa: PLC0415  as above

    return SuspiciousAnswers()
