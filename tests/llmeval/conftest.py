"""Fixtures for llmeval from Python: plugins of the tests, an empty folder, a model that is slow."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import PluginFolder

SLOW = """
import asyncio
from llmeval_core.hooks import Component, Generation, ModelInfo, Settings, hookimpl
class Slow:
    def describe(self, model): return ModelInfo("slow", frozenset({"chat"}))
    async def open(self, model):
        self.pause_s = float(model)
        return self
    async def generate(self, request):
        await asyncio.sleep(self.pause_s)
        return Generation(("Paris",))
    async def aclose(self): pass
@hookimpl
def llmeval_register_models():
    yield Component("slow", Settings, lambda settings: Slow(), "slow/S takes S seconds an answer")
"""


@pytest.fixture
def project(plugin_folder: PluginFolder, work: Path) -> Path:
    """Give an empty folder to work in, where only the plugins of the tests offer anything.

    These are `capitals`, with the models `atlas` and `parrot`, and `slow`.
    """
    plugin_folder.install("capitals")
    plugin_folder.install("slow", SLOW)
    return work
