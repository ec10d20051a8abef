"""`llmeval plugin new`: each kind of project installs, passes its own tests and is found sound."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import importlib_metadata
import pytest

from llmeval_core.cli.group import main
from llmeval_core.cli.plugin.project import KINDS
from llmeval_core.hooks import ENTRY_POINT_GROUP

if TYPE_CHECKING:
    from tests.conftest import Llmeval, PluginFolder

Checked = dict[str, Any]  # Any: JSON


class Projects:
    """A project of each kind in one folder, all installed in another one, from wheels."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ: Mapping[str, str] = {
            **{
                name: value for name, value in os.environ.items() if not name.startswith("LLMEVAL_")
            },
            "PYTHONPATH": str(folder / "site"),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        }

    def project(self, kind: str) -> Path:
        return self.folder / f"llmeval-my-{kind}"

    def run(self, *words: str | Path, cwd: Path | None = None) -> str:
        done = subprocess.run(
            [sys.executable, "-m", *map(str, words)],
            cwd=cwd or self.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> Projects:
    """Make a project of each kind, and install all without network."""
    projects = Projects(tmp_path_factory.mktemp("projects"))
    for kind in KINDS:
        with pytest.raises(SystemExit, match="0"):
            main(["plugin", "new", kind, "--folder", str(projects.project(kind))])
    projects.run(
        "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index",
        "--target", projects.folder / "site", *map(projects.project, KINDS),
    )  # fmt: skip
    return projects


@pytest.fixture(scope="module")
def checked(projects: Projects) -> dict[str, Checked]:
    """Check all projects at once."""
    installed = importlib_metadata.entry_points(group=ENTRY_POINT_GROUP)
    others = ",".join(sorted({point.name for point in installed}))
    code = "from llmeval_core.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "plugin", "check", "--json"],
        cwd=projects.folder,
        env={**projects.environ, "LLMEVAL_DISABLE_PLUGINS": others},
        capture_output=True,
        text=True,
        check=True,
    )
    return {plugin["name"]: plugin for plugin in json.loads(done.stdout)}


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_project_passes_its_own_tests(projects: Projects, kind: str) -> None:
    folder = projects.project(kind)

    printed = projects.run("pytest", "-q", "-W", "error", "-p", "no:cacheprovider", cwd=folder)

    assert "passed" in printed
    project = (folder / "pyproject.toml").read_text(encoding="utf-8")
    assert "example" not in project
    assert ("llmeval.commands" in project) is (kind == "command")


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_project_is_found_sound(checked: dict[str, Checked], kind: str) -> None:
    found = checked[f"my_{kind}"]

    assert found["distribution"] == f"llmeval-my-{kind}"
    assert "wrong" not in {verdict["state"] for verdict in found["checks"]}
    subjects = [verdict["subject"].partition(" ")[0] for verdict in found["checks"]]
    assert subjects[:2] == ["plugin", kind]


def test_it_says_what_to_do_next(llmeval: Llmeval) -> None:
    finished = llmeval("plugin", "new", "metric", "llmeval-Loud-Answers")

    assert finished.stdout == (
        "llmeval-loud-answers: a metric 'loud_answers',"
        " in llmeval-loud-answers/src/llmeval_loud_answers/loud_answers.py\n"
        "\n"
        "Next:\n"
        "  pip install -e 'llmeval-loud-answers[test]'\n"
        "  pytest llmeval-loud-answers\n"
        "  llmeval plugin check loud_answers\n"
    )
    text = Path("llmeval-loud-answers/src/llmeval_loud_answers/loud_answers.py").read_text()
    assert "class LoudAnswersSettings(Settings):" in text


def test_what_to_do_next_can_be_copied_wherever_the_folder_is(llmeval: Llmeval) -> None:
    finished = llmeval("plugin", "new", "executor", "far", "--folder", "a folder/日本 語")

    assert finished.stdout == (
        "a folder/日本 語: an executor 'far', in a folder/日本 語/src/llmeval_far/far.py\n"
        "\n"
        "Next:\n"
        "  pip install -e 'a folder/日本 語[test]'\n"
        "  pytest 'a folder/日本 語'\n"
        "  llmeval plugin check far\n"
    )
    assert "An executor for llmeval" in Path("a folder/日本 語/pyproject.toml").read_text()


def test_a_name_that_a_plugin_offers_already_is_refused(
    llmeval: Llmeval, plugin_folder: PluginFolder
) -> None:
    plugin_folder.install("capitals")

    finished = llmeval("plugin", "new", "metric", "exact")

    assert finished.stderr == (
        "error: there is a metric 'exact' already, of fake-capitals 1.0\n"
        "  try:   choose another name\n"
    )
    assert llmeval("plugin", "new", "dataset", "exact").exit_code == 0


def test_a_word_of_pythons_own_is_refused_as_such(llmeval: Llmeval) -> None:
    finished = llmeval("plugin", "new", "metric", "class")

    assert finished.stderr == (
        "error: a plugin cannot be called 'class'\n"
        "  try:   'class' is a word of Python's own; choose another name, such as my_class\n"
    )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("metric", "3d"), "a plugin cannot be called '3d'"),
        (("metric", "class"), "a plugin cannot be called 'class'"),
        (("metric", "größe"), "a plugin cannot be called 'größe'"),
        (("command", "run"), "llmeval has a command 'run' already"),
        (("dataset", "llmeval-metrics"), "there is a package 'llmeval_metrics' already"),
        (("check", "room", "--folder", "full"), "'full' is not empty"),
    ],
)
def test_what_cannot_be_made_is_told(
    llmeval: Llmeval, arguments: tuple[str, ...], told: str
) -> None:
    Path("full").mkdir()
    Path("full/mine.txt").touch()

    finished = llmeval("plugin", "new", *arguments)

    assert finished.exit_code == 2
    assert finished.stderr.startswith(f"error: {told}\n  try:   ")
    assert [path.name for path in Path().iterdir()] == ["full"]


def test_a_kind_that_is_none_is_told_with_those_that_are(llmeval: Llmeval) -> None:
    finished = llmeval("plugin", "new", "judge")

    assert finished.exit_code == 2
    assert "'dataset', 'model', 'metric', 'task', 'solver'" in finished.stderr
