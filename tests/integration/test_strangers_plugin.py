"""A stranger's plugin: built as a wheel, installed with ours outside the tree, and used."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.papers import ROOT, Block, blocks

PROJECTS = (".", "plugins/datasets", "plugins/metrics", "plugins/models", "templates/plugin")
GUIDE = ROOT / "docs" / "plugins.md"
TEMPLATE = ROOT / "templates" / "plugin"


class Outside:
    """A virtual environment that has wheels only, and knows nothing of the source tree."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder / "bin"
        self._environ = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("PYTHON", "LLMEVAL_", "VIRTUAL_ENV"))
        }
        self._environ["PATH"] = f"{self.bin}{os.pathsep}{os.environ['PATH']}"
        self._environ["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"

    def run(self, *command: str | Path, cwd: Path) -> str:
        """Run a command that ends well, and return what it printed."""
        done = subprocess.run(
            [str(part) for part in command],
            cwd=cwd,
            env=self._environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def follow(self, block: Block, *, cwd: Path) -> None:
        """Run a console block as it is written; every line of output that it shows must come."""
        printed = self.run("sh", "-ec", "\n".join(block.commands), cwd=cwd).splitlines()
        missing = [line for line in block.output if line not in printed]
        assert not missing, "\n".join(["not printed:", *missing, "but:", *printed])


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Outside:
    """Build wheels, and install them in a clean virtual environment."""
    folder = tmp_path_factory.mktemp("outside")
    outside = Outside(folder / "venv")
    for project in PROJECTS:
        outside.run(
            sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation",
            "--wheel-dir", folder / "wheels", ROOT / project, cwd=folder,
        )  # fmt: skip
    venv.create(folder / "venv", with_pip=True)
    wheels = [str(wheel) for wheel in sorted((folder / "wheels").glob("*.whl"))]
    assert len(wheels) == len(PROJECTS)
    wheels = [f"{w}[test]" if "example_plugin" in w else w for w in wheels]
    outside.run(
        outside.bin / "python", "-m", "pip", "install", "--quiet",
        "--constraint", ROOT / "constraints.txt", *wheels, cwd=folder,
    )  # fmt: skip
    return outside


def test_nothing_comes_from_the_source_tree(outside: Outside, tmp_path: Path) -> None:
    code = "import llmeval_core, llmeval_models; print(llmeval_core.__file__, llmeval_models)"

    printed = outside.run(outside.bin / "python", "-c", code, cwd=tmp_path)

    assert str(ROOT) not in printed
    assert str(outside.bin.parent) in printed


def test_a_run_uses_the_data_set_the_metric_and_the_tracker(
    outside: Outside, tmp_path: Path
) -> None:
    command = (outside.bin / "llmeval", "run", "-m", "echo/any", "-d", "weekdays:de", "--metric",
               "brevity", "--metric", "exact_match", "--tracker", "csv_file:board.csv")  # fmt: skip

    printed = outside.run(*command, cwd=tmp_path)
    outside.run(*command, cwd=tmp_path)

    assert "weekdays_de" in printed
    lines = (tmp_path / "board.csv").read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[1:] for line in lines[1:]] == [
        ["echo/any", "weekdays_de_0shot_brevity", "1.0"],
        ["echo/any", "weekdays_de_0shot_exact_match", "0.0"],
    ]


def test_the_list_of_plugins_names_the_stranger(outside: Outside, tmp_path: Path) -> None:
    plugins = json.loads(outside.run(outside.bin / "llmeval", "plugins", "--json", cwd=tmp_path))

    assert ("brevity", "llmeval-example-plugin", "loaded") in {
        (plugin["name"], plugin["distribution"], plugin["state"]) for plugin in plugins
    }
    assert {plugin["state"] for plugin in plugins} == {"loaded"}


def test_a_copy_of_the_template_passes_its_own_tests(outside: Outside, tmp_path: Path) -> None:
    for part in ("pyproject.toml", "tests"):
        copy = shutil.copytree if (TEMPLATE / part).is_dir() else shutil.copy
        copy(TEMPLATE / part, tmp_path / part)

    printed = outside.run(outside.bin / "pytest", "-q", "-W", "error", cwd=tmp_path)

    assert "passed" in printed


def test_the_readme_of_the_template_works(outside: Outside, tmp_path: Path) -> None:
    (_, *uses) = blocks(TEMPLATE / "README.md", "console")
    (tmp_path / "my.jsonl").write_text('{"input": "1+1?", "output": "2"}\n', encoding="utf-8")

    for block in uses:
        outside.follow(block, cwd=tmp_path)

    assert len(uses) == 7
    assert (tmp_path / "results.csv").exists()


def test_a_new_project_comes_out_of_the_wheel(outside: Outside, tmp_path: Path) -> None:
    outside.run(outside.bin / "llmeval", "plugin", "new", "metric", "loud", cwd=tmp_path)
    project = tmp_path / "llmeval-loud"
    outside.run(
        outside.bin / "python", "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir",
        tmp_path / "wheels", project, cwd=tmp_path,
    )  # fmt: skip
    (wheel,) = (tmp_path / "wheels").iterdir()
    outside.run(
        outside.bin / "python", "-m", "pip", "install", "--quiet", "--no-deps", wheel, cwd=tmp_path
    )

    printed = outside.run(outside.bin / "pytest", "-q", "-W", "error", cwd=project)
    checked = outside.run(outside.bin / "llmeval", "plugin", "check", "loud", cwd=tmp_path)

    assert "passed" in printed
    assert "metric 'loud'" in checked


def test_the_page_on_tasks_leads_to_a_task_of_ones_own(outside: Outside, tmp_path: Path) -> None:
    steps = [block for block in blocks(ROOT / "docs" / "tasks.md", "console") if block.is_run]
    python = blocks(ROOT / "docs" / "tasks.md", "python")

    for step in steps:
        outside.follow(step, cwd=tmp_path)
    for block in python:
        outside.run(outside.bin / "python", "-c", block.text, cwd=tmp_path)

    assert len(steps) == 2


def test_the_guide_works_from_an_empty_folder(outside: Outside, tmp_path: Path) -> None:
    python = blocks(GUIDE, "python")
    (test,) = (block for block in python if "def test_" in block.text)
    (project,) = (block for block in blocks(GUIDE, "toml") if "[build-system]" in block.text)
    (tmp_path / "shouting.py").write_text(python[0].text, encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text(project.text, encoding="utf-8")
    (tmp_path / "test_shouting.py").write_text(test.text, encoding="utf-8")

    steps = [block for block in blocks(GUIDE, "console") if block.is_run]
    for step in steps:
        outside.follow(step, cwd=tmp_path)

    assert len(steps) == 3
    assert [wheel.name for wheel in (tmp_path / "dist").iterdir()] == [
        "llmeval_shouting-0.1.0-py3-none-any.whl"
    ]
