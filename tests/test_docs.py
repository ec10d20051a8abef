"""The papers say what is true: hooks, links, versions, run files, commands."""

from __future__ import annotations

import inspect
import re
import shlex
from functools import cache
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from llmeval_core import hooks
from llmeval_core.catalog import KINDS, Catalog, Kind, RegisteredComponent
from llmeval_core.cli.group import COMMANDS, cli
from llmeval_core.config import ComponentConfig, Origin, RunConfig, validate
from llmeval_core.host import load_plugins
from llmeval_core.naming import split_reference
from tests.papers import ROOT, blocks, papers

GUIDE = ROOT / "docs" / "plugins.md"
HOOKS = sorted(name for name in vars(hooks) if name.startswith("llmeval_"))
PAPERS = [pytest.param(path, id=str(path.relative_to(ROOT))) for path in papers()]
RUN_FILES = [
    pytest.param(block.text, id=f"{block.paper.relative_to(ROOT)}-{number}")
    for paper in papers()
    for number, block in enumerate(blocks(paper, "yaml"))
    if re.search(r"(?m)^(models|tasks|metrics|trackers|executor):|^\{use:", block.text)
    and "package:" not in block.text  # a declaration of a data set
]
EXAMPLES = [
    pytest.param(path.read_text(encoding="utf-8"), id=str(path.relative_to(ROOT)))
    for path in sorted(ROOT.glob("examples/*.yaml"))
]
TRANSLATIONS = [
    pytest.param(
        path, path.with_suffix("").with_suffix(".md"), id=str(path.relative_to(ROOT / "docs"))
    )
    for path in sorted(ROOT.glob("docs/**/*.ja.md"))
]
_PUBLISHED = ("## From an index", "## インデックスから", "## Each time")
_INSTALL = re.compile(r"(?:pip|pipx|uv tool) install((?:[^`\n]|\\\n)*)")
BROUGHT = ("hello", "footprint", "serve", "worker", "jobs", "judge", "lm-eval")
"""Commands that plugins bring: those of guide, template, server, judges and lm-eval's tasks."""
_SPAN = re.compile(r"(?m)`(llmeval [^`]+)`|^\$ (llmeval .+)$")


def signature(name: str) -> str:
    return f"def {name}{inspect.signature(getattr(hooks, name))}".replace("'", "")


def anchors(paper: Path) -> set[str]:
    """Name a paper's headings as links do on the web."""
    headings: list[str] = re.findall(r"(?m)^#+ (.+)$", paper.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}


@cache
def catalog() -> Catalog:
    host = load_plugins(environ={})
    components: dict[Kind, list[RegisteredComponent]] = {}
    for kind in KINDS:
        components[kind] = [
            RegisteredComponent(component, plugin.label)
            for component, plugin in host.components(kind)
        ]
    return Catalog(components)


def check_settings(kind: Kind, reference: str, settings: dict[str, Any]) -> None:
    """Check settings as a run does, but make nothing; Any: as the run file has them."""
    name, argument = split_reference(reference)
    component = catalog().find(kind, name).component
    if argument is not None:
        assert component.argument is not None, f"'{reference}': {name} takes no argument"
        settings = {str(component.argument): argument, **settings}
    validate(component.config, settings, origin=Origin())


@pytest.mark.parametrize("name", HOOKS)
def test_each_hook_is_in_the_guide_with_its_exact_signature(name: str) -> None:
    assert f"{signature(name)}\n" in [block.text for block in blocks(GUIDE, "python")]


@pytest.mark.parametrize("paper", PAPERS)
def test_links_lead_somewhere(paper: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", paper.read_text(encoding="utf-8"))

    for link in links:
        if "://" not in link:
            file, _, anchor = link.partition("#")
            target = (paper.parent / file) if file else paper
            assert target.exists(), f"{paper.name} links to {link}"
            assert not anchor or anchor in anchors(target), f"{paper.name} links to {link}"


@pytest.mark.parametrize("paper", PAPERS)
def test_installs_work_before_anything_is_published(paper: Path) -> None:
    text = paper.read_text(encoding="utf-8")
    if paper.name in ("installing.md", "installing.ja.md", "releasing.md"):
        sections = re.split(r"(?m)^(?=## )", text)
        text = "".join(one for one in sections if not one.startswith(_PUBLISHED))

    for words in _INSTALL.findall(text):
        named = re.findall(r"llmeval-[a-z-]+(\[[a-z,]+\])?", words)
        from_here = "--find-links" in words or "@ git+" in words
        # Extras of what is installed already: pip asks no index for the distribution itself.
        assert from_here or all(named), f"{paper.name}: `pip install{words}`"
        assert from_here or "llmeval-suite" not in words, f"{paper.name}: `pip install{words}`"


@pytest.mark.parametrize("text", [*RUN_FILES, *EXAMPLES])
def test_run_files_name_what_there_is_with_settings_that_it_has(text: str) -> None:
    written = yaml.safe_load(text)
    if "use" in written:
        written = {"tasks": [{"dataset": written}]}
    whole = {"models": ["echo/any"], "tasks": [{"dataset": "jsonl:my.jsonl"}], **written}

    config = validate(RunConfig, whole, origin=Origin())

    for model in config.models:
        provider = model.provider or model.name.partition("/")[0]
        check_settings("models", provider, model.settings)
    components: list[tuple[Kind, ComponentConfig]] = [
        *(("datasets", task.dataset) for task in config.tasks if task.dataset is not None),
        *(("solvers", task.solver) for task in config.tasks if task.solver is not None),
        *(("metrics", metric) for task in config.tasks for metric in task.metrics or ()),
        *(("metrics", metric) for metric in config.metrics or ()),
        *(("trackers", tracker) for tracker in config.trackers),
    ]
    for kind, component in components:
        check_settings(kind, component.use, component.settings)


@pytest.mark.parametrize("paper", PAPERS)
def test_commands_and_their_options_exist(paper: Path) -> None:
    spans = _SPAN.findall(paper.read_text(encoding="utf-8"))

    for span in (one or other for one, other in spans):
        words = shlex.split(span.replace("\n", " "))[1:]
        if words[:1] == ["-p"]:
            words = words[2:]
        if not words or words[0] not in COMMANDS:
            # An option of the group, a placeholder, or a command that a plugin brings.
            assert words[0] in ("...", *BROUGHT) or words[0].startswith(("-", "<"))
            continue
        command = cli.get_command(click.Context(cli), words[0])
        if isinstance(command, click.Group) and len(words) > 1:
            command = command.get_command(click.Context(command), words[1]) or command
        assert command is not None
        known = {option for parameter in command.params for option in parameter.opts}
        for word in words:
            option = word.partition("=")[0]
            if re.fullmatch(r"--?[a-z][a-z-]*", option):
                assert option in known | {"--help"}, f"{paper.name}: `{span}`"


@pytest.mark.parametrize(("translation", "original"), TRANSLATIONS)
def test_a_translation_has_the_sections_tables_and_code_of_the_original(
    translation: Path, original: Path
) -> None:
    assert _skeleton(original) == _skeleton(translation)


def _skeleton(paper: Path) -> list[str]:
    """Keep what is the same in every language: levels of headings, rows of tables, code."""
    kept, is_code = [], False
    for line in paper.read_text(encoding="utf-8").splitlines():
        is_code ^= line.startswith("```")
        if is_code or line.startswith("```"):
            kept.append(line)
        elif line.startswith(("#", "|", "- ")):
            kept.append(re.sub("[^#|-].*", "", line))
    return kept
