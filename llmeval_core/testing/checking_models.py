"""Does a model provider keep its promises?"""

from __future__ import annotations

import asyncio
from typing import get_args

from llmeval_core.contracts import Model, ModelCheck, ModelInfo, ModelProvider, Readiness
from llmeval_core.errors import ModelError
from llmeval_core.generation import check_generation
from llmeval_core.records import Generation, Mode
from llmeval_core.testing.makers import make_request
from llmeval_core.testing.offline import offline


async def check_model(provider: ModelProvider, model: str) -> dict[str, Generation]:
    """Open a model, ask it in each mode that it claims, and close it.

    If the provider can check whether it could be asked, that has to be said offline.

    Each mode is asked twice at the same time, or one after the other if the model serves one
    request only.

    Returns:
        A generation by mode, to be looked at further.

    Raises:
        AssertionError: it breaks a promise of `contracts.ModelProvider`; the message says which.
    """
    with offline("describe()"):
        info = provider.describe(model)
        assert info == provider.describe(model), "describe() says something else the second time"
    _check_info(info)
    if isinstance(provider, ModelCheck):
        with offline("check()"):
            found = provider.check(model)
        assert isinstance(found, Readiness), f"check() gave a {type(found).__name__}"
    opened = await provider.open(model)
    try:
        return {mode: await _ask(opened, mode, info) for mode in sorted(info.modes)}
    finally:
        await opened.aclose()


def _check_info(info: ModelInfo) -> None:
    assert info.modes, "it claims no mode"
    unknown = sorted(info.modes - {*get_args(Mode)})
    assert not unknown, f"there is no mode '{unknown[0]}'"
    assert isinstance(info.cache_key, str), "its cache_key is no text"
    assert info.cache_key, "its cache_key is empty"
    assert info.max_concurrency is None or info.max_concurrency >= 1, "max_concurrency below 1"


async def _ask(model: Model, mode: Mode, info: ModelInfo) -> Generation:
    if info.max_concurrency == 1:
        answers = [await model.generate(make_request(mode=mode)) for _ in range(2)]
    else:
        both = (model.generate(make_request(mode=mode)) for _ in range(2))
        answers = await asyncio.gather(*both)
    for answer in answers:
        _check_answer(answer, mode)
    return answers[0]


def _check_answer(answer: Generation, mode: Mode) -> None:
    assert isinstance(answer, Generation), f"{mode}: a {type(answer).__name__} is no Generation"
    try:
        check_generation(make_request(mode=mode), answer)
    except ModelError as err:
        raise AssertionError(f"{mode}: {err.what}") from err
