"""Each recipe of the cookbook shows its files as they are, and works as it is written."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.papers import ROOT, Block, blocks

COOKBOOK = ROOT / "docs" / "cookbook"
RECIPES = sorted(path for path in COOKBOOK.iterdir() if path.is_dir())
LANGUAGES = {".yaml": "yaml", ".jsonl": "json", ".py": "python", ".toml": "toml"}


def environ(folder: Path) -> dict[str, str]:
    """Make the environment of a reader, in which `pip install` stays in the recipe's folder."""
    site = folder / "site"
    return {
        **{key: value for key, value in os.environ.items() if not key.startswith("LLMEVAL_")},
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(site),
        "PIP_TARGET": str(site),
        "PIP_NO_DEPS": "1",
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "0",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }


def follow(block: Block, folder: Path) -> list[str]:
    """Run a console block, end what it left running, and return the lines that it printed."""
    out, err = folder / "stdout.txt", folder / "stderr.txt"
    with (
        out.open("w") as stdout,
        err.open("w") as stderr,
        subprocess.Popen(
            ["sh", "-ec", "\n".join(block.commands)],
            cwd=folder,
            env=environ(folder),
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        ) as shell,
    ):
        try:
            code = shell.wait(300)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGKILL)
    printed = out.read_text(encoding="utf-8")
    assert code == 0, printed + err.read_text(encoding="utf-8")
    return printed.splitlines()


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.name)
def test_a_recipe_shows_every_file_of_its_folder(recipe: Path) -> None:
    files = [path for path in sorted(recipe.iterdir()) if path.suffix in LANGUAGES]

    for page in ("index.md", "index.ja.md"):
        for file in files:
            shown = [block.text for block in blocks(recipe / page, LANGUAGES[file.suffix])]
            assert file.read_text(encoding="utf-8") in shown, f"{page}: {file.name}"
    assert files


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.name)
def test_a_recipe_works_as_it_is_written(recipe: Path, tmp_path: Path) -> None:
    folder = tmp_path / recipe.name
    shutil.copytree(recipe, folder, ignore=shutil.ignore_patterns("*.md", "__pycache__"))
    steps = [block for block in blocks(recipe / "index.md", "console") if block.is_run]

    for step in steps:
        printed = follow(step, folder)
        missing = [line for line in step.output if line not in printed]
        assert not missing, "\n".join(["not printed:", *missing, "but:", *printed])
    assert steps
