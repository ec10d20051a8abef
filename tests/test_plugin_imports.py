"""What a plugin may import of the core is a list: whatever is not on it is an offence."""

from __future__ import annotations

import importlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LINTER = Path(sys.executable).with_name("lint-imports")
PACKAGES = [ROOT / "llmeval_core", *ROOT.glob("plugins/**/src/llmeval_*")]
CONTRACT = "Plugins import hooks, support and testing, and nothing else of the core"
PLUGIN_OFFENCES = (
    "from llmeval_core.records import Sample",
    "from llmeval_core import journal",
    "import llmeval_core",
    "import llmeval_core.engine.run",
    "from llmeval_core.pacing import RetryBudget",
    "from llmeval_core.config import RunConfig",
    "from llmeval_core.paths import expand_path",
    "from llmeval_core.api import make_session",
    "from llmeval_core.support.backoff import Backoff",
    "from llmeval_core.testing.makers import make_sample",
    "def late():\n    from llmeval_core.naming import fingerprint",
    "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from llmeval_core.plan import Plan",
)
SERVER_OFFENCES = (
    "from llmeval_core.api.session import Session",
    "from llmeval_core.host import load_plugins",
    "from llmeval_core.cli import main",
)
ALLOWED = (
    "from llmeval_core.hooks import Sample",
    "from llmeval_core.support import Backoff",
    "from llmeval_core.testing import make_sample",
)
SERVER_ALLOWED = (*ALLOWED, "from llmeval_core.api import make_session, run_file_schema")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Plant offences into a copy of all packages, and return what the linter says."""
    folder = tmp_path_factory.mktemp("tree")
    shutil.copy(ROOT / "pyproject.toml", folder)
    for source in PACKAGES:
        shutil.copytree(source, folder / source.name, ignore=shutil.ignore_patterns("__pycache__"))
    for package, name, planted in (
        ("llmeval_metrics", "offence", PLUGIN_OFFENCES),
        ("llmeval_metrics", "allowed", ALLOWED),
        ("llmeval_server", "offence", SERVER_OFFENCES),
        ("llmeval_server", "allowed", SERVER_ALLOWED),
    ):
        for number, line in enumerate(planted):
            (folder / package / f"{name}_{number}.py").write_text(f"{line}\n")
    done = subprocess.run(
        [LINTER, "--no-cache", "--contract", "plugin-imports"],
        cwd=folder,
        env={"COLUMNS": "300", "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("number", range(len(PLUGIN_OFFENCES)), ids=PLUGIN_OFFENCES.__getitem__)
def test_an_offence_of_a_plugin_is_caught(told: str, number: int) -> None:
    assert re.search(rf"- llmeval_metrics\.offence_{number} -> llmeval_core\b", told)


@pytest.mark.parametrize("number", range(len(SERVER_OFFENCES)), ids=SERVER_OFFENCES.__getitem__)
def test_the_server_takes_nothing_from_behind_the_api(told: str, number: int) -> None:
    assert re.search(rf"- llmeval_server\.offence_{number} -> llmeval_core\b", told)


def test_what_is_on_the_list_is_no_offence(told: str) -> None:
    assert f"{CONTRACT} BROKEN" in told
    assert len(re.findall(r"^- llmeval_", told, re.MULTILINE)) == len(
        PLUGIN_OFFENCES + SERVER_OFFENCES
    )


def test_it_says_what_to_do_instead(told: str) -> None:
    assert "handed on by hooks" in told


@pytest.mark.parametrize("facade", ["api", "support", "testing"])
def test_no_file_of_a_facade_is_called_like_what_it_hands_on(facade: str) -> None:
    """Else the linter cannot tell the name that is handed on from the file behind the facade."""
    handed_on: list[str] = importlib.import_module(f"llmeval_core.{facade}").__all__
    files = {path.stem for path in (ROOT / "llmeval_core" / facade).iterdir()}

    assert not files & set(handed_on)
