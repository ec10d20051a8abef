"""Which of the judges of a task were compared with people, and whether that still holds."""

from __future__ import annotations

from collections.abc import Mapping, Set
from pathlib import Path

from llmeval_core.hooks import ConfigError, Json
from llmeval_judges.calibration import Calibration, asked_digest, stored
from llmeval_judges.judge_prompt import rubric_prompt
from llmeval_judges.judge_settings import JurySettings, PairwiseJudgeSettings, RubricJudgeSettings
from llmeval_judges.rubric import load_rubric


def checks_of(
    settings: Mapping[str, Json], home: Path, served_by: Mapping[str, Set[str]]
) -> list[str]:
    """Say of each judge of each metric whether it was compared with people, a line each.

    Args:
        settings: what a result keeps of its task.
        home: the project's folder, where checks are kept.
        served_by: who judged, by role, in the servers' own words.
    """
    kept = [one for _, one in stored(home) if one is not None]
    roles = settings.get("roles")
    models = {
        role: str(described[0])
        for role, described in (roles.items() if isinstance(roles, dict) else ())
        if isinstance(described, list) and described
    }
    lines = []
    metrics = settings.get("metrics")
    for name, described in metrics.items() if isinstance(metrics, dict) else ():
        if isinstance(described, dict) and (judge := _settings(described)) is not None:
            for role in judge.judges:
                model = models.get(role, "?")
                said = _check_in_words(judge, model, kept, frozenset(served_by.get(role, ())))
                lines.append(f"{name}, {role} ({model}): {said}")
    return lines


def _settings(described: Mapping[str, Json]) -> RubricJudgeSettings | PairwiseJudgeSettings | None:
    """Read the settings of a metric that judges by a rubric; None for any other metric."""
    kind = str(described.get("definition", "")).partition("@")[0].partition("-")[0]
    given = {key: value for key, value in described.items() if key != "definition"}
    types: dict[str, type[RubricJudgeSettings] | type[PairwiseJudgeSettings]] = {
        "judge": RubricJudgeSettings,
        "judge_pairwise": PairwiseJudgeSettings,
    }
    found = types.get(kind)
    if found is None:
        return None
    try:
        return found.model_validate(given)
    except ValueError:  # of another version of this plugin
        return None


def _check_in_words(
    judge: RubricJudgeSettings | PairwiseJudgeSettings,
    model: str,
    kept: list[Calibration],
    served_by: frozenset[str],
) -> str:
    asked = asked_of(judge, judge.rubric)
    mine = [one for one in kept if one.model == model and _stem(one.rubric) == _stem(judge.rubric)]
    for one in sorted(mine, key=lambda each: each.checked_at, reverse=True):
        problem = one.problem(served_by)
        if problem is None and one.asked != asked:
            problem = "verdicts are asked for in another way"
        if problem is None:
            return one.in_words()
        return f"VOID, {problem} (was {one.in_words()})"
    return "never compared with people; `llmeval judge check` does"


def asked_of(judge: JurySettings, name: str) -> str | None:
    """Return the digest of all that a judge is told but the texts; None if the rubric is gone."""
    try:
        rubric = load_rubric(name)
    except ConfigError:
        return None
    prompt = rubric_prompt(rubric, max_reason=judge.max_reason)
    return asked_digest(prompt, by=judge.verdict_by, asks_again=judge.ask_again)


def _stem(rubric: str) -> str:
    return Path(rubric).stem
