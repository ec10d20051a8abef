"""`llmeval lm-eval`: search lm-eval's tasks, groups and tags."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

_KINDS = ("group", "tag", "task", "class")


@click.command("lm-eval")
@click.argument("text", required=False)
@click.option(
    "--include-path",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder with YAML of your own; may be given several times.",
)
@click.option("--limit", default=40, show_default=True, help="Most lines; 0 for all.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, a line each.")
def command(*, text: str | None, include_path: tuple[Path, ...], limit: int, as_json: bool) -> None:
    """Search tasks, groups and tags of lm-eval by their names and data sets.

    Every word of TEXT must occur; groups come first. Run one with `-t lm_eval:NAME`.

    \b
    Examples:
      llmeval lm-eval gsm8k
      llmeval lm-eval "mmlu law" --limit 10
      llmeval lm-eval --include-path my_tasks mine
    """
    # Late: the first time, 14,000 files are read.
    from llmeval_core.hooks import ConfigError  # noqa: PLC0415
    from llmeval_lm_eval_tasks.task_index import build_index, library_tasks  # noqa: PLC0415

    index = build_index((library_tasks(), *include_path))
    every = (
        (one.kind, one.name, _about(one.output_type, one.dataset, one.tasks))
        for one in index.values()
    )
    words = (text or "").lower().split()
    found = [one for one in every if _has_all(f"{one[1]} {one[2]}", words)]
    found.sort(key=lambda one: (_KINDS.index(one[0]), one[1]))
    shown = found[:limit] if limit else found
    for line in _lines(shown, as_json=as_json):
        click.echo(line)
    if len(shown) < len(found):
        click.echo(f"... and {len(found) - len(shown)} more: --limit 0 shows all", err=True)
    if not found:
        raise ConfigError(
            f"nothing of lm-eval has '{text}' in its name or data set",
            hint="all words must occur; try fewer",
        )


def _about(output_type: str, dataset: str, tasks: tuple[str, ...]) -> str:
    return (
        f"{len(tasks)} tasks"
        if tasks
        else " ".join(part for part in (output_type, dataset) if part)
    )


def _has_all(text: str, words: list[str]) -> bool:
    lowered = text.lower()
    return all(word in lowered for word in words)


def _lines(found: Iterable[tuple[str, str, str]], *, as_json: bool) -> Iterator[str]:
    for kind, name, about in found:
        if as_json:
            yield json.dumps({"kind": kind, "name": name, "about": about}, ensure_ascii=False)
        else:
            yield f"{kind:<6} {name:<44} {about}".rstrip()
