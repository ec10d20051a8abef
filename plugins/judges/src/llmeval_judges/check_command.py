"""`llmeval judge check`: compare a judge with people."""

from __future__ import annotations

import json
import time
from pathlib import Path

import click

from llmeval_core.api import Progress, SilentProgress, project_folder, shown
from llmeval_core.hooks import fingerprint
from llmeval_judges.calibration import Calibration, digest_of_request, store
from llmeval_judges.check_report import CheckReport, make_report
from llmeval_judges.check_report_text import report_json, report_lines
from llmeval_judges.judge_check_task import JudgeCheck
from llmeval_judges.judge_checking import CheckedJudge, check_judge, given_verdicts, refuse_both
from llmeval_judges.judge_settings import JudgeCheckSettings
from llmeval_judges.rubric import load_rubric, ready_names

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("check", short_help="Compare a judge with people, and keep how far it agrees.")
@click.argument("labels", type=_FILE)
@click.option("-j", "--judge", metavar="PROVIDER/MODEL", help="The judge.")
@click.option("-c", "--config", "run_file", type=_FILE, help="A run file that has the judge.")
@click.option("--role", help="The judge's role in the run file; `judge` if left out.")
@click.option(
    "-r", "--rubric", default="correctness", show_default=True, help="Name, or YAML file."
)
@click.option(
    "--verdict-by",
    type=click.Choice(["auto", "schema", "tool", "text"]),
    default="auto",
    show_default=True,
    help="How verdicts are asked for, as in the metric.",
)
@click.option("--no-ask-again", is_flag=True, help="Ask each only once, as `ask_again: false`.")
@click.option("--max-reason", type=click.IntRange(min=20), help="As in the metric.")
@click.option("--context-key", default="context", show_default=True, help="As in the metric.")
@click.option("--home", type=click.Path(path_type=Path), help="The project's folder.")
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(  # noqa: PLR0913  one for each flag
    labels: Path,
    *,
    judge: str | None,
    run_file: Path | None,
    role: str | None,
    rubric: str,
    verdict_by: str,
    no_ask_again: bool,
    max_reason: int | None,
    context_key: str,
    home: Path | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Compare a judge with people, and keep how far it agrees.

    LABELS is a JSON Lines file: each line has `input`, `answer` and, where a person has judged it,
    `label`; `reference`, `context` or `other` as the rubric needs. `llmeval samples TASK --json`
    prints such lines but for the label. Without --judge and --config the judge's verdicts stand in
    the file, as `verdict`.

    What the judge answers is kept in the journal, and not asked again. How far it agrees is kept
    with all that decides its verdicts, and is void when that changes: see `llmeval judge list`.

    \b
    Examples:
      llmeval judge check labels.jsonl --judge openai/gpt-4o --rubric correctness
      llmeval judge check labels.jsonl --config eval.yaml
    """
    refuse_both(judge, run_file, role=role)
    settings = JudgeCheckSettings.model_validate(
        {
            "labels": labels.resolve(),
            "rubric": rubric if rubric in ready_names() else str(Path(rubric).resolve()),
            "verdict_by": verdict_by,
            "ask_again": not no_ask_again,
            "max_reason": max_reason,
            "context_key": context_key,
        }
    )
    check = JudgeCheck(settings)
    if judge is None and run_file is None:
        report = make_report(given_verdicts(check), check.scale, check.weights)
        _show(report, check, None, as_json=as_json)
        return
    folder = project_folder(home)
    checked = check_judge(
        settings,
        check,
        judge=judge,
        run_file=run_file,
        role=role or "judge",
        home=folder,
        progress=SilentProgress() if quiet or as_json else _progress(),
    )
    report = make_report(checked.answers, check.scale, check.weights)
    _show(report, check, checked, as_json=as_json)
    if report.n_compared:  # after it is shown: that it cannot be kept takes nothing away
        kept = store(_calibration(checked, report, check, settings), folder)
        if not as_json:
            click.echo(f"\nkept in {kept}; void when the rubric, the prompt or the model changes")


def _progress() -> Progress:
    from rich.console import Console  # noqa: PLC0415  only where progress is shown

    from llmeval_core.api.progress_bars import PlainProgress  # noqa: PLC0415  as above

    return PlainProgress(Console(stderr=True))


def _calibration(
    checked: CheckedJudge, report: CheckReport, check: JudgeCheck, settings: JudgeCheckSettings
) -> Calibration:
    return Calibration(
        rubric=settings.rubric,
        version=load_rubric(settings.rubric).version,
        model=checked.model,
        served_by=checked.served_by,
        verdict_by=settings.verdict_by,
        ask_again=settings.ask_again,
        max_reason=settings.max_reason,
        asked=digest_of_request(check.request),
        n_compared=report.n_compared,
        n_unscored=report.n_unscored,
        agreement=report.agreement,
        base_rate=report.base_rate,
        kappa=report.kappa,
        weights=report.weights,
        labels=fingerprint([[a.id, a.label.label if a.label else None] for a in checked.answers]),
        checked_at=time.time(),
    )


def _show(
    report: CheckReport,
    check: JudgeCheck,
    checked: CheckedJudge | None,
    *,
    as_json: bool,
) -> None:
    if as_json:
        who = {"judge": checked.model, "served_by": checked.served_by} if checked else {}
        click.echo(json.dumps({**who, **report_json(report)}, ensure_ascii=False))
        return
    if checked is not None:
        served = f" (served by {', '.join(checked.served_by)})" if checked.served_by else ""
        click.echo(shown(f"{checked.model}{served}, {check.name.removeprefix('judge_check_')}"))
    for line in report_lines(report, check.scale):
        click.echo(shown(line))
