"""The embedded engine with a real model: SmolLM2-135M-Instruct."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from llmeval_models.llamacpp.llama_cpp_model import LlamaCppModel
from llmeval_models.llamacpp.llama_cpp_provider import LlamaCppProvider
from llmeval_models.model_settings import LlamaCppSettings

from llmeval_core.hooks import ConfigError, GenerationSettings, Message, Mode, Model, ModelError
from llmeval_core.testing import check_model, make_request

SMOLLM = "smollm2-135m-instruct"


async def test_it_keeps_the_promises_of_a_provider() -> None:
    provider = LlamaCppProvider(LlamaCppSettings(context_size=256, n_parallel=1))

    answers = await check_model(provider, SMOLLM)

    assert sorted(answers) == ["chat", "completion", "loglikelihood", "rolling"]
    assert answers["chat"].served_by == SMOLLM
    assert answers["completion"].finish_reason in ("stop", "length")
    paris, rome = answers["loglikelihood"].loglikelihoods
    assert paris.logprob > rome.logprob


async def test_it_answers_a_chat(smollm: Model) -> None:
    request = replace(
        make_request("What is the capital of France?"), settings=GenerationSettings(max_tokens=24)
    )

    generation = await smollm.generate(request)

    assert "Paris" in generation.text
    assert generation.finish_reason in ("stop", "length")


async def test_a_chat_without_system_message_gets_the_model_s_own(smollm: Model) -> None:
    plain = make_request()
    said = replace(
        plain,
        messages=(Message("system", "You are a helpful assistant."), *plain.messages),
    )

    first, second = await smollm.generate(plain), await smollm.generate(said)

    assert first.texts == second.texts
    assert first.n_prompt_tokens == second.n_prompt_tokens


@pytest.mark.parametrize("mode", ["chat", "completion", "loglikelihood"])
async def test_a_prompt_beyond_the_context_is_too_long(smollm: Model, mode: Mode) -> None:
    request = make_request("one two three " * 300, mode=mode)

    with pytest.raises(ModelError) as caught:
        await smollm.generate(request)

    assert caught.value.kind == "context_too_long"
    assert "exceeds the available context size (512 tokens)" in caught.value.what


async def test_more_than_one_answer_can_be_asked_for(smollm: Model) -> None:
    settings = GenerationSettings(max_tokens=8, temperature=1.0, seed=1, n=2)

    generation = await smollm.generate(replace(make_request(), settings=settings))

    assert len(generation.texts) == 2


async def test_a_file_that_is_no_model(tmp_path: Path) -> None:
    path = tmp_path / "no.gguf"
    path.write_bytes(b"not a model")

    with pytest.raises(ModelError) as caught:
        await LlamaCppProvider(LlamaCppSettings(path=path)).open("mine")

    assert caught.value.kind == "not_found"
    assert caught.value.what.startswith("llama.cpp cannot load the model: ")
    assert caught.value.where == str(path)
    assert caught.value.hint == "is it a GGUF file? `llmeval doctor` checks the engine"


def test_an_unknown_name() -> None:
    with pytest.raises(ConfigError) as caught:
        LlamaCppProvider(LlamaCppSettings()).describe("gpt-4")

    assert str(caught.value) == (
        "there is no embedded model 'gpt-4'\n"
        "  try:   known: smollm2-135m-instruct, gemma-3-270m; or name a GGUF file with `path`"
    )


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    settings = LlamaCppSettings(path=tmp_path / "no.gguf")

    with pytest.raises(ConfigError) as caught:
        LlamaCppProvider(settings).describe("mine")

    assert str(caught.value) == (
        f"cannot read the model file '{tmp_path}/no.gguf': No such file or directory\n"
        "  try:   the setting `path` names a GGUF file, relative to the folder you are in"
    )


def test_the_base_model_has_no_chat() -> None:
    info = LlamaCppProvider(LlamaCppSettings()).describe("gemma-3-270m")

    assert info.modes == {"completion", "loglikelihood", "rolling"}
    assert info.max_concurrency == 4


async def test_a_crash_of_the_engine_ends_the_model_not_the_run(smollm: Model) -> None:
    assert isinstance(smollm, LlamaCppModel)
    os.kill(smollm.engine.id, signal.SIGILL)

    await smollm.engine.wait()

    with pytest.raises(ModelError) as caught:
        await smollm.generate(make_request())

    assert caught.value.kind == "not_found"
    assert str(caught.value) == (
        "the llama.cpp engine ended with signal SIGILL\n"
        "  try:   out of memory? lower n_parallel or context_size; then run again, it goes on"
    )


PARENT = """
import asyncio
from llmeval_models.llamacpp.llama_cpp_provider import LlamaCppProvider
from llmeval_models.model_settings import LlamaCppSettings

async def main():
    model = await LlamaCppProvider(LlamaCppSettings(context_size=64, n_parallel=1)).open("{name}")
    print(model.engine.id, flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


async def test_the_engine_ends_when_its_parent_is_killed() -> None:
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT.format(name=SMOLLM), stdout=subprocess.PIPE
    )
    assert parent.stdout is not None
    engine = os.pidfd_open(int(await parent.stdout.readline()))
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(engine, ended.set)  # readable once it has ended

    parent.kill()

    async with asyncio.timeout(10):
        await ended.wait()
    asyncio.get_running_loop().remove_reader(engine)
    os.close(engine)
    await parent.wait()
