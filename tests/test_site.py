"""The documentation site is put together from the tree, and builds without a warning."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from docs_site.assemble import assemble, find_pages
from docs_site.links import SitePages, site_text
from llmeval_core import hooks, support, testing
from llmeval_core.catalog import KINDS
from llmeval_core.cli.group import COMMANDS
from llmeval_core.host import load_plugins
from tests.papers import ROOT

MARKS = {"ENTRY_POINT_GROUP", "OUTCOMES", "Json", "__version__", "hookimpl", "hookspec"}
"""Names that the guide explains, and that have no entry in the reference."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Put the pages together once."""
    folder = tmp_path_factory.mktemp("site") / "docs"
    assemble(ROOT, folder)
    return folder


@pytest.fixture(scope="module")
def site(folder: Path) -> Path:
    """Build the site as `make docs` does."""
    config = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    config = config.replace("build/docs", str(folder)).replace("paths: [.", f"paths: [{ROOT}")
    (folder.parent / "mkdocs.yml").write_text(config, encoding="utf-8")
    site = folder.parent / "site"
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(site)],
        cwd=folder.parent,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return site


def test_it_builds_without_a_warning_in_both_languages(site: Path) -> None:
    english = {
        path.relative_to(site) for path in site.rglob("index.html") if "ja" not in path.parts
    }
    japanese = {path.relative_to(site / "ja") for path in (site / "ja").rglob("index.html")}

    assert len(english) > 30
    assert english == japanese


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    loads = re.compile(r'<(?:script|img|iframe)[^>]*src="(?:https?:)?//|<link[^>]*href="https?://')

    for page in site.rglob("*.html"):
        assert not loads.search(page.read_text(encoding="utf-8")), page


def test_every_name_of_the_hooks_and_of_the_kit_is_in_the_reference() -> None:
    shown = "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "docs" / "reference").glob("*.md")
    )

    named = set(re.findall(r"::: llmeval_core\.(?:\w+)\.(\w+)", shown))
    assert {*hooks.__all__} - MARKS <= named
    assert {*testing.__all__, *support.__all__} <= named


def test_every_command_has_its_section(folder: Path) -> None:
    page = (folder / "reference" / "commands.md").read_text(encoding="utf-8")

    commands = {command.name for command in load_plugins(environ={}).registered("commands")}
    for name in {*COMMANDS, *commands} - {"footprint"}:
        assert f"\n## `llmeval {name}`\n" in page
    assert "`--max-samples-failed` `N`" in page


@pytest.mark.parametrize("kind", KINDS)
def test_the_catalogue_has_everything_that_is_installed(folder: Path, kind: str) -> None:
    page = (folder / "reference" / "catalogue" / f"{kind}.md").read_text(encoding="utf-8")

    n_ours = 0
    for component, plugin in load_plugins(environ={}).components(kind):
        is_example = plugin.distribution == "llmeval-example-plugin"
        assert (f"## `{component.name}` " in page) is not is_example
        n_ours += not is_example
    assert n_ours


def test_data_and_weights_have_their_licence_and_citation(folder: Path) -> None:
    catalogue = folder / "reference" / "catalogue"

    datasets = (catalogue / "datasets.md").read_text(encoding="utf-8")
    models = (catalogue / "models.md").read_text(encoding="utf-8")
    assert "Licence: MIT; package Apache-2.0. Cite: Talmor et al. 2019, CommonsenseQA" in datasets
    assert "| `llamacpp/smollm2-135m-instruct` | Apache-2.0 | " in models


def test_links_are_turned_to_the_pages_of_the_site(tmp_path: Path) -> None:
    paper = tmp_path / "plugins" / "x" / "README.md"
    guide = tmp_path / "docs" / "guide.md"
    pages = SitePages(tmp_path, {paper: "distributions/x.md", guide: "guide.md"})

    text = site_text(
        "[guide](../../docs/guide.md#keys), [code](src/x.py), [web](https://example.org)\n"
        "```\n[kept](src/x.py)\n```",
        paper,
        pages,
    )

    assert text == (
        "[guide](../guide.md#keys), code, [web](https://example.org)\n```\n[kept](src/x.py)\n```"
    )


def test_headings_of_a_translation_have_the_anchors_of_the_original(tmp_path: Path) -> None:
    original, translation = tmp_path / "docs" / "a.md", tmp_path / "docs" / "a.ja.md"
    original.parent.mkdir()
    original.write_text("# The keys\n\n## Two words\n", encoding="utf-8")
    translation.write_text("# キー\n\n一行目、\n二行目 [語](#二語)\n\n## 二語\n", encoding="utf-8")
    pages = SitePages(tmp_path, {original: "a.md", translation: "a.ja.md"})

    text = site_text(translation.read_text(encoding="utf-8"), translation, pages)

    assert text == (
        "# キー { #the-keys }\n\n一行目、二行目 [語](#two-words)\n\n## 二語 { #two-words }\n"
    )


def test_every_paper_but_the_readme_and_the_template_has_a_page() -> None:
    places = find_pages(ROOT).places

    without = {
        path.relative_to(ROOT).as_posix()
        for path in [*ROOT.glob("*.md"), *ROOT.glob("plugins/**/*.md"), *ROOT.glob("docs/**/*.md")]
        if path not in places
    }
    assert without == {"README.md"}


def test_every_page_stands_in_the_menu(folder: Path) -> None:
    config = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")

    listed = re.findall(r"[\w/-]+\.md", config.partition("\nnav:")[2])
    pages = {path.relative_to(folder).as_posix() for path in folder.rglob("*.md")}
    assert sorted(listed) == sorted(page for page in pages if not page.endswith(".ja.md"))
