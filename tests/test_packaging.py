"""What the distributions say of themselves: one version, bounds, licence, links, constraints."""

from __future__ import annotations

import re
import shutil
import tomllib
from pathlib import Path

import pytest
from hatchling.metadata.core import ProjectMetadata
from hatchling.plugin.manager import PluginManager
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

import llmeval_core
from release.constraints import (
    CONSTRAINTS,
    PRE_COMMIT,
    as_text,
    read_constraints,
    with_versions,
)
from release.distributions import ROOT, SUITE, Distribution, distributions
from release.version import bounds, set_version

ALL = distributions()
EACH = [pytest.param(one, id=one.name) for one in ALL]
OURS = {one.name for one in ALL}
VERSION = Version(llmeval_core.__version__)
TEMPLATE = ROOT / "templates" / "plugin" / "pyproject.toml"
PINNED = read_constraints()


def requirements(found: Distribution) -> list[Requirement]:
    """Read what a distribution asks for, with its extras, but not what it asks of itself."""
    every = [Requirement(text) for text in found.requirements]
    return [one for one in every if canonicalize_name(one.name) != found.name]


def test_the_suite_and_every_plugin_are_released() -> None:
    plugins = set(ROOT.glob("plugins/**/pyproject.toml"))

    assert plugins == {one.folder / "pyproject.toml" for one in ALL} - {
        ROOT / "pyproject.toml",
        ROOT / "llmeval" / "pyproject.toml",
    }


@pytest.mark.parametrize("found", EACH)
def test_each_version_is_that_of_the_core(found: Distribution) -> None:
    assert "version" not in found.project

    metadata = ProjectMetadata(str(found.folder), PluginManager())

    assert metadata.version == llmeval_core.__version__


@pytest.mark.parametrize("found", EACH)
def test_ours_are_bounded_from_this_version_to_the_next_that_may_break(
    found: Distribution,
) -> None:
    ours = [one for one in requirements(found) if one.name in OURS]

    assert {one.specifier for one in ours} <= {SpecifierSet(bounds(VERSION))}
    assert found.name == "llmeval-core" or "llmeval-core" in {one.name for one in ours}


def test_the_template_has_the_same_bounds() -> None:
    declared = tomllib.loads(TEMPLATE.read_text(encoding="utf-8"))["project"]["dependencies"]

    (core,) = (one for one in map(Requirement, declared) if one.name == "llmeval-core")

    assert core.specifier == SpecifierSet(bounds(VERSION))


@pytest.mark.parametrize("found", EACH)
def test_no_new_major_version_of_a_library_can_break_an_install(found: Distribution) -> None:
    extras = found.project.get("optional-dependencies", {})
    for_developers = set(map(Requirement, extras.get("dev", ())))  # constraints.txt is enough

    unbounded = [
        str(one)
        for one in set(requirements(found)) - for_developers
        if one.name not in OURS and "<" not in {part.operator for part in one.specifier}
    ]

    assert unbounded == []


@pytest.mark.parametrize("found", EACH)
def test_what_is_tested_together_is_within_the_bounds(found: Distribution) -> None:
    for one in requirements(found):
        if one.name not in OURS:
            pinned = PINNED.get(canonicalize_name(one.name))
            assert pinned is not None, f"{one.name}: `make constraints`"
            assert pinned in one.specifier, one


@pytest.mark.parametrize("found", EACH)
def test_each_says_who_made_it_and_where_it_lives(found: Distribution) -> None:
    core, project = ALL[0].project, found.project

    assert project["authors"] == core["authors"]
    assert project["license"] == "Apache-2.0"
    assert project["requires-python"] == core["requires-python"]
    assert set(core["classifiers"]) - {"Environment :: Console"} <= set(project["classifiers"])
    assert project["urls"].keys() == core["urls"].keys()
    for name in ("Homepage", "Documentation", "Changelog", "Issues"):
        assert project["urls"][name] == core["urls"][name]
    folder = found.folder.relative_to(ROOT).as_posix()
    source = core["urls"]["Source"]
    assert project["urls"]["Source"] == (
        source if folder == "." else f"{source}/tree/main/{folder}"
    )


@pytest.mark.parametrize("found", EACH)
def test_each_has_the_licence_and_a_readme(found: Distribution) -> None:
    licence = found.folder / "LICENSE"

    assert licence.read_bytes() == (ROOT / "LICENSE").read_bytes()
    assert found.project["license-files"] == ["LICENSE"]
    assert (found.folder / found.project["readme"]).stat().st_size > 100


def test_the_suite_brings_what_most_people_need_and_offers_the_rest() -> None:
    (suite,) = (one for one in ALL if one.name == SUITE)
    extras = suite.project["optional-dependencies"]

    brought = {Requirement(text).name for text in suite.project["dependencies"]}
    offered = {Requirement(text).name for some in extras.values() for text in some}

    assert {
        "llmeval-core", "llmeval-datasets", "llmeval-jsonl-tracker", "llmeval-metrics",
        "llmeval-mlflow-tracker", "llmeval-models", "llmeval-solvers",
    } == brought & OURS  # fmt: skip
    assert OURS - {"llmeval-mlflow-proxy"} == (brought | offered) & OURS  # the server brings it
    assert {"server", "ray", "wandb"} < set(extras)
    (everything,) = map(Requirement, extras["all"])
    assert everything.extras == set(extras) - {"all"}


def test_constraints_are_names_and_versions_and_nothing_else() -> None:
    text = CONSTRAINTS.read_text(encoding="utf-8")

    for line in text.splitlines():
        assert line.startswith("#") or re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.!]*", line), line
    assert text == as_text(PINNED)
    assert not OURS & PINNED.keys()


def test_new_versions_are_those_of_pre_commit_too() -> None:
    before = PRE_COMMIT.read_text(encoding="utf-8")

    after = with_versions(before, {"ruff": "9.9.9", "requests": "1.0"})

    assert after.count("ruff==9.9.9") == before.count("ruff==") == 2
    assert "requests" not in after
    assert f"check-jsonschema=={PINNED['check-jsonschema']}" in after


def test_a_new_version_is_written_everywhere(tmp_path: Path) -> None:
    files = [
        *(one.folder / "pyproject.toml" for one in ALL),
        TEMPLATE,
        ROOT / "docs" / "plugins.md",
        ROOT / "llmeval_core" / "__init__.py",
    ]
    for file in files:
        copy = tmp_path / file.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, copy)

    changed = set_version(Version("1.4.0"), tmp_path)

    assert {file.relative_to(tmp_path) for file in changed} == {
        file.relative_to(ROOT) for file in files if file != ROOT / "pyproject.toml"
    }
    for found in distributions(tmp_path):
        metadata = ProjectMetadata(str(found.folder), PluginManager())
        assert metadata.version == "1.4.0"
        ours = [one for one in requirements(found) if one.name in OURS]
        assert {one.specifier for one in ours} <= {SpecifierSet(">=1.4.0,<2")}
    assert '"llmeval-core>=1.4.0,<2"' in (tmp_path / "docs" / "plugins.md").read_text()


@pytest.mark.parametrize(
    ("version", "expected"),
    [("0.1.0", ">=0.1.0,<0.2"), ("0.2.0rc1", ">=0.2.0rc1,<0.3"), ("3.1.4", ">=3.1.4,<4")],
)
def test_bounds_end_where_something_may_break(version: str, expected: str) -> None:
    assert bounds(Version(version)) == expected
