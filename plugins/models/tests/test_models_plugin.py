"""What the plugin offers, and how cheaply."""

from __future__ import annotations

import subprocess
import sys

from llmeval_models.openai.presets import PRESETS

from llmeval_core.testing import check_plugin


def test_all_entries_are_well_formed() -> None:
    plugin = check_plugin("llmeval_models.plugin")

    assert [entry.name for entry in plugin.registered["models"]] == [
        "openai_compatible",
        "openai",
        "vllm",
        *[preset.name for preset in PRESETS],
        "openai_responses",
        "anthropic",
        "gemini",
        "llamacpp",
        "transformers",
        "echo",
    ]
    assert [check.name for check in plugin.registered["checks"]] == ["llama.cpp engine"]


def test_nothing_heavy_is_imported_before_a_model_is_opened() -> None:
    code = (
        "import sys, llmeval_core.hooks\n"
        "before = set(sys.modules)\n"
        "import llmeval_models.plugin\n"
        "print({'aiohttp', 'asyncio', 'xllamacpp'} & (sys.modules.keys() - before))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "set()\n"
