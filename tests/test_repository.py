"""The files that others expect in a repository are valid, and agree with each other."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from release.constraints import read_constraints
from release.distributions import ROOT, distributions
from tests.needs import NEEDS

GITHUB = ROOT / ".github"
SCHEMAS = [
    *(("vendor.github-workflows", file) for file in sorted(GITHUB.glob("workflows/*.yml"))),
    ("vendor.github-issue-config", GITHUB / "ISSUE_TEMPLATE" / "config.yml"),
    ("vendor.github-issue-forms", GITHUB / "ISSUE_TEMPLATE" / "bug.yml"),
    ("vendor.github-issue-forms", GITHUB / "ISSUE_TEMPLATE" / "idea.yml"),
]


def read(file: Path) -> Any:
    """Read YAML; Any: as it stands."""
    return yaml.safe_load(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("schema", "file"), [pytest.param(*one, id=one[1].name) for one in SCHEMAS]
)
def test_what_github_reads_follows_its_schema(schema: str, file: Path) -> None:
    checker = Path(sys.executable).parent / "check-jsonschema"

    done = subprocess.run(
        [checker, "--builtin-schema", schema, file], check=False, text=True, capture_output=True
    )

    assert done.returncode == 0, done.stdout


def test_every_python_that_is_promised_is_tested() -> None:
    promised = re.findall(
        r"3\.\d+(?=\")", str(distributions()[0].project["classifiers"]).replace("'", '"')
    )

    matrix = read(GITHUB / "workflows" / "ci.yml")["jobs"]["check"]["strategy"]["matrix"]

    assert matrix["python"] == promised


def test_only_the_step_that_publishes_may_speak_for_the_repository() -> None:
    for file in sorted(GITHUB.glob("workflows/*.yml")):
        workflow = read(file)
        assert workflow["permissions"] == {"contents": "read"}
        for name, job in workflow["jobs"].items():
            allowed = {"id-token": "write"} if name == "publish" else None
            assert job.get("permissions") == allowed, f"{file.name}: {name}"


def test_pre_commit_runs_the_versions_that_make_installs() -> None:
    hooks = [
        hook for repo in read(ROOT / ".pre-commit-config.yaml")["repos"] for hook in repo["hooks"]
    ]

    pinned = read_constraints()

    for text in (one for hook in hooks for one in hook.get("additional_dependencies", ())):
        name, _, version = text.partition("==")
        assert pinned[name] == version, "`make constraints` writes them"


def test_the_address_of_the_repository_is_the_same_everywhere() -> None:
    home = distributions()[0].project["urls"]["Homepage"]
    texts = [ROOT / "SECURITY.md", GITHUB / "ISSUE_TEMPLATE" / "config.yml"]

    for file in texts:
        for address in re.findall(r"https://github\.com/[\w-]+/[\w-]+", file.read_text()):
            assert address == home, file.name


@pytest.mark.parametrize("mark", NEEDS)
def test_a_mark_is_of_files_and_fixtures_that_are_there(mark: str) -> None:
    need = NEEDS[mark]
    files = [
        ROOT / "conftest.py",
        *ROOT.glob("tests/**/*.py"),
        *ROOT.glob("plugins/**/tests/**/*.py"),
    ]
    tests = [file.read_text(encoding="utf-8") for file in files]

    for beginning in need.files:
        assert list(ROOT.glob(f"{beginning.rstrip('/')}*")), beginning
    for fixture in need.fixtures:
        assert any(re.search(rf"^(async )?def {fixture}\(", text, re.M) for text in tests), fixture


def test_what_make_quick_runs_has_no_mark() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "--collect-only", "--only-python",
         "-m", " or ".join(NEEDS), "tests/llmeval", "plugins/trackers/mlflow_tracker"],
        check=False,
        cwd=ROOT,
        text=True,
        capture_output=True,
    )  # fmt: skip

    assert re.search(r"^no tests collected \(\d{2,} deselected\)", done.stdout, re.M), done.stdout
