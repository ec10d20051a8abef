"""Which HTTP library is used, and what is said if it cannot be."""

from __future__ import annotations

import importlib.util
import pickle
import subprocess
import sys
from textwrap import dedent

import pytest
from llmeval_models.openai.provider import ServerProvider
from llmeval_models.openai.wires.by_aiohttp import AiohttpWire
from llmeval_models.openai.wires.by_pyreqwest import PyreqwestWire
from llmeval_models.openai.wires.choosing import open_wire
from llmeval_models.settings import ServerSettings

from llmeval_core.hooks import ConfigError, ModelError

from .conftest import Http


@pytest.mark.parametrize(
    ("http", "expected"),
    [("auto", AiohttpWire), ("aiohttp", AiohttpWire), ("pyreqwest", PyreqwestWire)],
)
async def test_the_setting_chooses(http: Http, expected: type) -> None:
    wire = open_wire(ServerSettings(http=http), {})

    assert type(wire) is expected
    await wire.aclose()


def test_the_choice_changes_neither_identity_nor_endpoint(http: Http) -> None:
    by_default = ServerProvider(ServerSettings()).describe("m")

    assert ServerProvider(ServerSettings(http=http)).describe("m") == by_default


def test_a_library_that_is_not_there_is_told_before_anything_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)

    with pytest.raises(ConfigError) as caught:
        ServerProvider(ServerSettings(http="pyreqwest")).describe("m")

    assert str(caught.value) == (
        "pyreqwest is not installed\n"
        "  where: http: pyreqwest\n"
        '  try:   pip install "llmeval-models[fast]", or leave `http` at auto'
    )


async def test_a_worker_without_the_library_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)

    with pytest.raises(ModelError) as caught:
        await ServerProvider(ServerSettings(http="pyreqwest")).open("m")

    assert str(caught.value) == (
        "pyreqwest is not installed\n  where: http: pyreqwest\n  try:   leave `http` at auto"
    )


def test_a_provider_that_was_used_can_still_be_pickled(http: Http) -> None:
    provider = ServerProvider(ServerSettings(http=http))
    provider.describe("m")

    again = pickle.loads(pickle.dumps(provider))

    assert again.describe("m") == provider.describe("m")


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
def test_after_a_fork_the_other_side_is_told(http: Http) -> None:
    code = """
        import asyncio, os, sys
        from llmeval_models.openai.wires.choosing import open_wire
        from llmeval_models.openai.wires.wire import NotUsableError
        from llmeval_models.settings import ServerSettings

        async def main():
            try:
                wire = open_wire(ServerSettings(http=sys.argv[1]), {})
            except NotUsableError as err:
                return str(err)
            await wire.aclose()
            return "opened"

        asyncio.run(main())
        child = os.fork()
        if not child:
            print(asyncio.run(main()), flush=True)
            os._exit(0)
        os.waitpid(child, 0)
    """
    done = subprocess.run(
        [sys.executable, "-c", dedent(code), http], capture_output=True, text=True, check=True
    )

    if http == "pyreqwest":
        assert done.stdout == "pyreqwest cannot be used on both sides of a fork\n"
    else:
        assert done.stdout == "opened\n"
