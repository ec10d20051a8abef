"""From settings to a jury."""

from __future__ import annotations

from llmeval_core.hooks import Json, fingerprint
from llmeval_judges.judge_prompt import JudgePrompt
from llmeval_judges.judge_settings import JurySettings
from llmeval_judges.juror import Juror, VerdictRequest
from llmeval_judges.jury import Combine, Jury


def make_jury(settings: JurySettings, prompt: JudgePrompt) -> Jury:
    """Make the jury that the settings name."""
    combine: Combine = "mean" if prompt.scale.is_points else "majority"
    if settings.combine != "auto":
        combine = settings.combine
    jurors = [Juror(role, draw) for role in settings.judges for draw in range(settings.repeats)]
    request = VerdictRequest(prompt, settings.verdict_by, settings.ask_again)
    return Jury(request, tuple(jurors), combine)


def definition_of(kind: str, name: str, jury: Jury, *more: str) -> str:
    """Return a definition id: the kind of judge, the rubric with its version, and a digest.

    The digest is over the prompt, the schema, and how verdicts are asked for and made one. The
    models that judge are not known here; the engine adds them to what identifies a task.
    """
    told: list[Json] = [
        jury.request.as_json(),
        [[juror.role, juror.draw] for juror in jury.jurors],
        jury.combine,
        *more,
    ]
    return f"{kind}@{name}-{fingerprint(told)[:8]}"
