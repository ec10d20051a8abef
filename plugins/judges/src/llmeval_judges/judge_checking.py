"""A check of a judge: run as a task of its own, in the project's journal, and then compared."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmeval_core.api import (
    Journal,
    Progress,
    RunConfig,
    SampleCriteria,
    SampleResult,
    find_samples,
    load_run_file,
    make_config,
    make_plan,
    make_session,
    preflight_of_run,
    run_plan,
    run_until_complete,
    stream_samples,
)
from llmeval_core.hooks import ConfigError, LlmevalError
from llmeval_judges.check_report import CheckedAnswer
from llmeval_judges.human_labels import LabelledAnswer
from llmeval_judges.judge_check_task import JudgeCheck
from llmeval_judges.judge_settings import JudgeCheckSettings

_FROM_THE_CHECK = (
    "models", "tasks", "roles", "metrics", "trackers", "generation", "limit", "shots", "executor",
)  # fmt: skip
"""Keys of a run file that a check sets itself; limits, prices and the like are the file's."""
_MOST_OF_AN_ANSWER = 500


@dataclass(frozen=True, slots=True)
class CheckedJudge:
    """A judge's verdicts beside those of people.

    Args:
        model: the judge.
        served_by: who answered, by the server's own word.
        answers: what was judged.
    """

    model: str
    served_by: tuple[str, ...]
    answers: tuple[CheckedAnswer, ...]


def given_verdicts(check: JudgeCheck) -> tuple[CheckedAnswer, ...]:
    """Take the verdicts that the file itself has, of a judge that was asked elsewhere.

    Raises:
        ConfigError: there is none.
    """
    if all(one.verdict is None for one in check.labelled):
        raise ConfigError(
            "there is no judge to ask, and no 'verdict' in the file",
            hint="name the judge: `--judge provider/model`, or a run file with `roles`: `--config`",
        )
    return tuple(
        CheckedAnswer(
            one.sample.id,
            one.answer[:_MOST_OF_AN_ANSWER],
            one.label,
            one.verdict,
            "" if one.verdict else "the file has no verdict",
            n_characters=_length(one),
        )
        for one in check.labelled
    )


def check_judge(
    settings: JudgeCheckSettings,
    check: JudgeCheck,
    *,
    judge: str | None,
    run_file: Path | None,
    role: str,
    home: Path,
    progress: Progress,
) -> CheckedJudge:
    """Have everything judged that was not yet, and compare; blocking.

    Raises:
        LlmevalError: the judge cannot be asked, or a setting is wrong.
        KeyboardInterrupt: the run was interrupted; what was judged is kept.
    """
    task = {"use": "judge_check", **settings.model_dump(mode="json")}
    session = make_session()
    config, origin = _config(judge, run_file, role, task)
    plan = make_plan(
        config,
        session.catalog,
        origin=origin,
        observer=session.host,
        preflight=preflight_of_run(home),
    )
    (evaluation,) = plan.evaluations
    with ExitStack() as stack:
        journal = stack.enter_context(Journal(home))
        outcome = run_until_complete(run_plan(plan, journal, progress=progress))
        if outcome.errors:
            raise outcome.errors[0]
        if outcome.summary.interrupted:
            raise KeyboardInterrupt
        reader = stack.enter_context(journal.reader())
        found = find_samples(
            reader, SampleCriteria(evaluation.tasks[0].key, model=evaluation.model.name)
        )
        results = {result.sample.id: result for result in stream_samples(reader, found)}
    answers = tuple(_checked(one, results.get(one.sample.id), check) for one in check.labelled)
    served_by = {
        result.generation.served_by
        for result in results.values()
        if result.generation is not None and result.generation.served_by
    }
    return CheckedJudge(evaluation.model.name, tuple(sorted(served_by)), answers)


def _config(
    judge: str | None, run_file: Path | None, role: str, task: Mapping[str, Any]
) -> tuple[RunConfig, Any]:
    """Make the run; Any: settings as a run file has them, and where they come from."""
    model: Any = judge
    base, origin = (None, None) if run_file is None else load_run_file(run_file)
    if model is None and base is not None:
        if role not in base.roles:
            raise ConfigError(
                f"no model has the role '{role}'",
                where=os.fspath(run_file or ""),
                hint=f"name one: `roles: {{{role}: provider/model}}`",
            )
        model = base.roles[role]
    fresh, own = make_config(None, {"models": [model], "tasks": [{"task": dict(task)}]})
    if base is None or origin is None:
        return fresh, own
    update = {key: getattr(fresh, key) for key in _FROM_THE_CHECK if hasattr(fresh, key)}
    return base.model_copy(update=update), origin


def _checked(one: LabelledAnswer, result: SampleResult | None, check: JudgeCheck) -> CheckedAnswer:
    answer, length = one.answer[:_MOST_OF_AN_ANSWER], _length(one)
    if result is None or result.failure is not None or "agreement" not in result.scores:
        why = result.failure.message if result is not None and result.failure else "not judged"
        return CheckedAnswer(one.sample.id, answer, one.label, None, why, n_characters=length)
    score = result.scores["agreement"]
    details = score.details if isinstance(score.details, dict) else {}
    given = details.get("given")
    return CheckedAnswer(
        one.sample.id,
        answer,
        one.label,
        check.scale.find(score.parsed),
        str(details.get("reason", "")),
        n_characters=length,
        given=tuple(str(label) for label in given) if isinstance(given, list) else (),
    )


def _length(one: LabelledAnswer) -> int:
    return len(one.answer) - len(one.other or "")


def refuse_both(judge: str | None, run_file: Path | None, *, role: str | None) -> None:
    """Refuse what names the judge twice.

    Raises:
        LlmevalError: it is named twice.
    """
    if judge is not None and role is not None:
        raise LlmevalError("`--judge` and `--role` both name the judge", hint="give one of them")
    if role is not None and run_file is None:
        raise LlmevalError("`--role` is one of a run file", hint="name it with --config")
