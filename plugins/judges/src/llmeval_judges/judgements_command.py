"""`llmeval judge report`: how the judges of a task judged."""

from __future__ import annotations

import json
from pathlib import Path

import click

from llmeval_core.api import (
    SampleCriteria,
    existing_journal,
    find_samples,
    project_folder,
    shown,
    stream_samples,
)
from llmeval_core.hooks import ConfigError, Json
from llmeval_judges.judgements import read_judgements
from llmeval_judges.known_checks import checks_of


@click.command("report", short_help="Show how the judges of a task judged.")
@click.argument("key")
@click.option("-m", "--model", metavar="PROVIDER/MODEL", help="Whose answers were judged.")
@click.option("--home", type=click.Path(path_type=Path), help="The project's folder.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(key: str, *, model: str | None, home: Path | None, as_json: bool) -> None:
    """Show how the judges of a task judged: verdicts, flips, suspicious answers, checks.

    KEY is a task's key, as `llmeval results` shows it.

    \b
    Example:
      llmeval judge report faq_0shot
    """
    folder = project_folder(home)
    with existing_journal(folder) as journal, journal.reader() as reader:
        selection = find_samples(reader, SampleCriteria(key, model=model))
        found = read_judgements(stream_samples(reader, selection))
        task = selection.task
        result = max(
            reader.results_of_task(task.model, task.key),
            key=lambda one: one.finished_at,
            default=None,
        )
    if not found.metrics and not found.unscored:
        raise ConfigError(
            f"no judge has judged '{key}'", hint="add `judge` to its metrics, and run it again"
        )
    checks = [] if result is None else checks_of(result.settings, folder, found.served_by)
    if as_json:
        body: dict[str, Json] = {
            "metrics": {name: one.as_json() for name, one in found.metrics.items()},
            "unscored": dict(found.unscored),
            "served_by": {role: [*sorted(names)] for role, names in found.served_by.items()},
            "checks": list(checks),
        }
        click.echo(json.dumps(body, ensure_ascii=False))
        return
    for name, judged in found.metrics.items():
        for line in judged.lines(name):
            click.echo(shown(line))
    for reason, n in found.unscored.most_common():
        click.echo(shown(f"unscored: {n} ({reason})"))
    for line in checks:
        click.echo(shown(line))
