"""The examples of the docs: the settings exist, the scripts are shell, the manifests are YAML."""

from __future__ import annotations

import re
import subprocess
from typing import Any

import pytest
import yaml
from llmeval_ray_executor.settings import RaySettings

from plugins.executors.ray_executor.tests.conftest import ROOT

PAGES = (ROOT / "docs" / "scale.md", ROOT / "plugins/executors/ray_executor/README.md")


def blocks(language: str) -> list[str]:
    pattern = re.compile(rf"^```{language}\n(.*?)^```", re.MULTILINE | re.DOTALL)
    return [block for page in PAGES for block in pattern.findall(page.read_text())]


def run_files() -> list[dict[str, Any]]:
    """Read the run files, also those inside manifests; Any: YAML."""
    found = []
    for block in blocks("yaml"):
        for document in yaml.safe_load_all(block):
            inner = document.get("data", {}).get("eval.yaml")
            found.append(yaml.safe_load(inner) if inner else document)
    return [document for document in found if "executor" in document]


@pytest.mark.parametrize("run_file", run_files())
def test_settings_in_the_docs_are_settings(run_file: dict[str, Any]) -> None:
    settings = dict(run_file["executor"])

    name, _, address = settings.pop("use").partition(":")

    assert name == "ray"
    RaySettings.model_validate({"address": address or None, **settings})


@pytest.mark.parametrize("script", blocks("bash") + blocks("sh"))
def test_scripts_in_the_docs_are_shell(script: str) -> None:
    checked = subprocess.run(
        ["bash", "-n"], input=script, capture_output=True, check=False, text=True
    )

    assert (checked.returncode, checked.stderr) == (0, "")


def test_every_setting_is_in_the_readme() -> None:
    readme = PAGES[1].read_text()

    assert not [name for name in RaySettings.model_fields if f"| `{name}` |" not in readme]
