"""vLLM started for a run: shared by its tasks, ended with it, and what is said if it fails."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from llmeval_models.model_settings import VllmSettings
from llmeval_models.vllm.vllm_provider import VllmProvider
from llmeval_models.vllm.vllm_server import VllmServedModel
from pydantic import SecretStr, ValidationError

from llmeval_core.hooks import GenerationSettings, Model, ModelError, Sample
from llmeval_core.testing import FakeDataset, make_request, run_in

FAKE = (sys.executable, str(Path(__file__).parent / "fake_vllm.py"), "serve")
PATIENCE_S = 60


def serving(*arguments: str, **settings: Any) -> VllmSettings:
    return VllmSettings(serve=True, serve_command=FAKE, serve_args=arguments, **settings)


async def opened(*arguments: str, name: str = "org/m", **settings: Any) -> Model:
    async with asyncio.timeout(PATIENCE_S):
        return await VllmProvider(serving(*arguments, **settings)).open(name)


async def failure(*arguments: str, **settings: Any) -> ModelError:
    with pytest.raises(ModelError) as caught:
        await opened(*arguments, **settings)
    return caught.value


def started(note: Path) -> list[dict[str, Any]]:
    """Read which servers were started; Any: JSON."""
    return [json.loads(line) for line in note.read_text(encoding="utf-8").splitlines()]


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_a_server_is_started_asked_and_ended(tmp_path: Path) -> None:
    note = tmp_path / "note"
    model = await opened("--note", str(note), "--max-model-len", "8192")

    generation = await model.generate(make_request())

    (server,) = started(note)
    assert is_alive(server["pid"])
    await model.aclose()
    assert (generation.texts, generation.served_by) == (("Paris",), "org/m")
    assert server["argv"][:4] == ["serve", "org/m", "--served-model-name", "org/m"]
    assert server["argv"][-2:] == ["--max-model-len", "8192"]
    assert not is_alive(server["pid"])


async def test_other_weights_are_served_under_the_model_s_name(tmp_path: Path) -> None:
    note = tmp_path / "note"
    home = str(Path.home())
    model = await opened("--note", str(note), name="mine", weights="~/weights")

    generation = await model.generate(make_request())

    await model.aclose()
    assert generation.served_by == f"{home}/weights"
    assert started(note)[0]["argv"][2:4] == ["--served-model-name", "mine"]


async def test_all_tasks_of_a_run_share_one_server(tmp_path: Path) -> None:
    note = tmp_path / "note"
    samples = [Sample(str(n), f"Capital of France? {n}", ("Paris",)) for n in range(4)]

    async with asyncio.timeout(PATIENCE_S):
        outcome = await run_in(
            tmp_path / "home",
            datasets={"a": FakeDataset(samples), "b": FakeDataset(samples[:3])},
            models={"vllm": VllmProvider(serving("--note", str(note)))},
            tasks=[{"dataset": {"use": name, "name": name}} for name in "ab"],
        )

    assert [result.n_failed for result in outcome.summary.results] == [0, 0]
    (server,) = started(note)
    assert not is_alive(server["pid"])


async def test_two_models_are_served_one_after_another(tmp_path: Path) -> None:
    note = tmp_path / "note"
    provider = VllmProvider(serving("--note", str(note)))
    info = provider.describe("m")

    assert info.endpoint is None  # a model of this process: the GPU is for one at a time
    assert info.max_concurrency == 256
    assert VllmProvider(serving(max_concurrency=8)).describe("m").max_concurrency == 8


async def test_a_server_that_ends_at_its_start_is_told_with_its_last_lines() -> None:
    error = await failure("--dies-with", "ValueError: no such model\nEngine core failed")

    assert error.kind == "not_found"
    assert str(error) == (
        "vLLM's server ended before it was ready (exit code 3); its last lines: "
        "INFO: starting | ValueError: no such model | Engine core failed\n"
        f"  where: {' '.join(FAKE)} org/m\n"
        "  try:   its own log says more: run it by hand"
    )


async def test_a_server_that_never_gets_ready_is_given_up_and_ended(tmp_path: Path) -> None:
    note = tmp_path / "note"

    error = await failure("--never-ready", "--note", str(note), start_timeout_s=1.5)

    assert error.kind == "not_found"
    assert error.what == "vLLM's server was not ready within 1.5 s"
    assert error.hint == "the setting start_timeout_s allows more time"
    assert not is_alive(started(note)[0]["pid"])


async def test_a_cancelled_start_leaves_no_server(tmp_path: Path) -> None:
    note = tmp_path / "note"
    opening = asyncio.create_task(opened("--never-ready", "--note", str(note)))
    async with asyncio.timeout(PATIENCE_S):
        while not (note.exists() and note.read_text()):  # noqa: ASYNC110
            await asyncio.sleep(0.02)

    opening.cancel()

    with pytest.raises(asyncio.CancelledError):
        await opening
    assert not is_alive(started(note)[0]["pid"])


async def test_a_server_that_dies_ends_the_model_not_the_run() -> None:
    model = await opened("--dies-after", "1")
    assert isinstance(model, VllmServedModel)
    await model.generate(make_request())
    with pytest.raises(ModelError):
        await model.generate(make_request())
    await model.ended()

    with pytest.raises(ModelError) as caught:
        await model.generate(make_request())

    await model.aclose()
    assert caught.value.kind == "not_found"
    assert caught.value.what == (
        "vLLM's server ended (exit code 9); its last lines: CUDA out of memory ***"
    )
    assert caught.value.hint == "out of memory? `serve_args` can take less"


async def test_no_vllm_is_known_before_anything_is_started(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    provider = VllmProvider(VllmSettings(serve=True))

    with pytest.raises(ModelError) as caught:
        provider.check("m")
    with pytest.raises(ModelError):
        await provider.open("m")

    assert str(caught.value) == (
        "there is no command 'vllm' to serve the model with\n"
        "  try:   pip install vllm, name another with `serve_command`, or ask a server that runs: "
        "`base_url`"
    )


PARENT = """
import asyncio, sys
from llmeval_models.model_settings import VllmSettings
from llmeval_models.vllm.vllm_provider import VllmProvider

async def main():
    settings = VllmSettings(serve=True, serve_command=sys.argv[1:4], serve_args=sys.argv[4:])
    await VllmProvider(settings).open("m")
    print("ready", flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


async def test_the_server_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    note = tmp_path / "note"
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PARENT, *FAKE, "--note", str(note)), stdout=subprocess.PIPE
    )
    assert parent.stdout is not None
    async with asyncio.timeout(PATIENCE_S):
        await parent.stdout.readline()
    server = os.pidfd_open(started(note)[0]["pid"])
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(server, ended.set)  # readable once it has ended

    parent.kill()

    async with asyncio.timeout(PATIENCE_S):
        await ended.wait()
    asyncio.get_running_loop().remove_reader(server)
    os.close(server)
    await parent.wait()


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"serve_args": ["x"]}, "`serve_args` is of a server that is started here"),
        ({"serve": True, "base_url": "http://x/v1"}, "leave `base_url` out"),
        ({"serve": True, "api_key": SecretStr("k")}, "leave `api_key` out"),
        ({"serve": True, "serve_args": ["--port=9"]}, "`--port=9` is chosen by llmeval"),
    ],
)
def test_settings_that_contradict_each_other(settings: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        VllmSettings(**settings)


def test_numbers_may_stand_among_the_arguments() -> None:
    settings = VllmSettings.model_validate({"serve": True, "serve_args": ["--max-model-len", 8192]})

    assert settings.serve_args == ("--max-model-len", "8192")


def test_what_makes_another_model(tmp_path: Path) -> None:
    def identity(**settings: Any) -> str:
        return VllmProvider(serving(**settings)).describe("m").cache_key

    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / "config.json").write_text("{}", encoding="utf-8")
    first = identity(weights=str(folder))
    (folder / "config.json").write_text('{"a": 1}', encoding="utf-8")
    moved = folder.rename(tmp_path / "moved")

    assert identity() == identity(max_concurrency=3, start_timeout_s=9.0)
    assert identity() != identity(weights="other")
    assert first != identity(weights=str(moved))


async def test_a_server_that_runs_is_asked_as_before() -> None:
    provider = VllmProvider(VllmSettings(base_url="http://gpu1:8000/v1"))

    assert provider.describe("m").endpoint is not None
    provider.check("m")
    model = await provider.open("m")
    with pytest.raises(ModelError, match="no connection"):
        await model.generate(replace(make_request(), settings=GenerationSettings()))
    await model.aclose()
