"""Hugging Face models in this process, with a tiny random one made on the spot."""

from __future__ import annotations

import asyncio
import importlib.util
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from llmeval_models.model_settings import TransformersSettings
from llmeval_models.transformers.causal_model import CausalModel, load_causal_model
from llmeval_models.transformers.transformers_model import TransformersModel
from llmeval_models.transformers.transformers_provider import TransformersProvider

from llmeval_core.hooks import (
    ConfigError,
    GenerationSettings,
    ImagePart,
    Message,
    Mode,
    Model,
    ModelError,
    Reasoning,
    Request,
    Sample,
    ToolSpec,
)
from llmeval_core.testing import FakeDataset, check_model, make_request, run_in

from .tiny_model import CONTEXT_SIZE, make_tiny_model

PROMPTS = (
    "The capital of France is",
    "x",
    "The capital of Italy is Rome. The capital of France is ",
    "富士山は",
)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Compute with one thread: torch was imported by the tests, and its threads would spin."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n_threads)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model; made once, read by all."""
    return make_tiny_model(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
async def model(folder: Path) -> AsyncIterator[Model]:
    opened = await provider(folder).open("tiny")
    yield opened
    await opened.aclose()


def provider(folder: Path, **settings: Any) -> TransformersProvider:
    given = {"weights": str(folder), "device": "cpu", "dtype": "float32", **settings}
    return TransformersProvider(TransformersSettings.model_validate(given))


def asking(text: str, *, mode: Mode = "completion", **changes: Any) -> Request:
    """Make a request with these settings; Any: fields of GenerationSettings."""
    settings = GenerationSettings(**{"max_tokens": 8, **changes})
    return replace(make_request(text, mode=mode), settings=settings)


def by_hand(folder: Path) -> tuple[Any, Any]:
    """Load tokenizer and model without a line of ours; Any: of transformers."""
    return (
        transformers.AutoTokenizer.from_pretrained(folder),
        transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval(),
    )


def logprobs(network: Any, tokens: list[int]) -> Any:
    """Compute the log-probabilities after each token, one text at a time; Any: a tensor."""
    with torch.inference_mode():
        return torch.log_softmax(network(torch.tensor([tokens])).logits[0].float(), dim=-1)


async def test_it_keeps_the_promises_of_a_provider(folder: Path) -> None:
    answers = await check_model(provider(folder), "tiny")

    assert sorted(answers) == ["chat", "completion", "loglikelihood", "rolling"]
    assert answers["chat"].served_by == "tiny"
    assert answers["completion"].stop_reasons in (("stop",), ("length",))


@pytest.mark.parametrize("batch_size", [1, 3, 8])
async def test_log_likelihoods_are_those_of_each_text_by_itself(
    folder: Path, batch_size: int
) -> None:
    tokenizer, network = by_hand(folder)
    continuations = (" Paris", " Rome.", " the city that is called Paris", "\n高い。")
    requests = [
        replace(make_request(prompt, mode="loglikelihood"), continuations=continuations)
        for prompt in PROMPTS
    ]
    opened = await provider(folder, batch_size=batch_size).open("tiny")

    found = await asyncio.gather(*[opened.generate(request) for request in requests])

    await opened.aclose()
    for prompt, generation in zip(PROMPTS, found, strict=True):
        stem = prompt.rstrip()
        spaces = prompt[len(stem) :]
        context = tokenizer.encode(stem)
        for text, score in zip(continuations, generation.loglikelihoods, strict=True):
            rest = tokenizer.encode(stem + spaces + text)[len(context) :]
            told = logprobs(network, [*context, *rest])[len(context) - 1 : -1]
            expected = sum(float(row[token]) for row, token in zip(told, rest, strict=True))
            assert score.logprob == pytest.approx(expected, abs=1e-4)
            assert score.n_tokens == len(rest)
            assert score.is_greedy is bool((told.argmax(-1) == torch.tensor(rest)).all())


async def test_a_greedy_continuation_is_told(folder: Path, model: Model) -> None:
    written = await model.generate(asking("The capital", max_tokens=3))
    tokenizer, network = by_hand(folder)
    tokens = tokenizer.encode("The capital")
    for _ in range(3):
        tokens.append(int(logprobs(network, tokens)[-1].argmax()))

    assert written.texts == (tokenizer.decode(tokens[-3:], skip_special_tokens=True),)


async def test_without_a_prompt_a_text_begins(folder: Path, model: Model) -> None:
    tokenizer, network = by_hand(folder)
    request = replace(make_request("", mode="loglikelihood"), continuations=("Paris", "<s>Rome"))

    found = (await model.generate(request)).loglikelihoods

    for text, score in zip(("Paris", "Rome"), found, strict=True):
        tokens = tokenizer.encode(text)
        told = logprobs(network, [0, *tokens])
        expected = sum(float(told[place][token]) for place, token in enumerate(tokens))
        assert score.logprob == pytest.approx(expected, abs=1e-4)
        assert score.n_tokens == len(tokens)


@pytest.mark.parametrize("n_tokens", [1, 127, 128, 129, 300])
async def test_a_long_text_is_scored_in_windows(folder: Path, model: Model, n_tokens: int) -> None:
    """Each token once, in the windows of lm-evaluation-harness."""
    tokenizer, network = by_hand(folder)
    text = tokenizer.decode(tokenizer.encode(" Paris")[:1]) * n_tokens
    tokens = tokenizer.encode(text)
    assert len(tokens) == n_tokens
    expected, n_done = 0.0, 0
    while n_done < n_tokens:
        end = min(n_done + CONTEXT_SIZE, n_tokens)
        window = [0, *tokens][max(0, end - CONTEXT_SIZE) : end + 1]
        told = logprobs(network, window[:-1])[-(end - n_done) :]
        expected += sum(
            float(row[token]) for row, token in zip(told, tokens[n_done:end], strict=True)
        )
        n_done = end

    (score,) = (await model.generate(make_request(text, mode="rolling"))).loglikelihoods

    assert score.logprob == pytest.approx(expected, rel=1e-5)
    assert score.n_tokens == n_tokens


async def test_a_text_without_tokens_has_no_score(model: Model) -> None:
    with pytest.raises(ModelError) as caught:
        await model.generate(make_request("", mode="rolling"))

    assert (caught.value.kind, caught.value.what) == ("bad_request", "there is no token to score")


async def test_a_choice_that_joins_the_prompt_has_no_score(model: Model) -> None:
    request = replace(make_request("富士山は", mode="loglikelihood"), continuations=("高い。",))

    with pytest.raises(ModelError) as caught:
        await model.generate(request)

    assert (caught.value.kind, caught.value.what) == (
        "bad_request",
        "choice 1 has no token of its own",
    )


async def test_answers_written_together_are_those_written_alone(folder: Path) -> None:
    requests = [asking(prompt) for prompt in PROMPTS]
    alone = await provider(folder, batch_size=1).open("tiny")
    together = await provider(folder, batch_size=8).open("tiny")

    one_by_one = [await alone.generate(request) for request in requests]
    at_once = await asyncio.gather(*[together.generate(request) for request in requests])

    await alone.aclose()
    await together.aclose()
    assert [one.texts for one in at_once] == [one.texts for one in one_by_one]
    assert [one.n_completion_tokens for one in at_once] == [8] * 4
    assert [one.n_prompt_tokens for one in at_once] == [one.n_prompt_tokens for one in one_by_one]


async def test_a_stop_text_ends_an_answer_and_is_no_part_of_it(model: Model) -> None:
    whole = (await model.generate(asking("The capital", max_tokens=20))).text
    stop = whole[5]

    cut = await model.generate(asking("The capital", max_tokens=20, stop=("never", stop)))
    others = await asyncio.gather(
        model.generate(asking("The capital", max_tokens=20)),
        model.generate(asking("The capital", max_tokens=20, stop=(stop,))),
    )

    assert cut.text == whole[: whole.find(stop)]
    assert cut.stop_reasons == ("stop",)
    assert cut.n_completion_tokens is not None
    assert cut.n_completion_tokens < 20
    assert [one.text for one in others] == [whole, cut.text]


async def test_the_model_s_own_end_ends_an_answer(folder: Path, tmp_path: Path) -> None:
    tokenizer, network = by_hand(folder)
    tokens = tokenizer.encode("The capital")
    n_prompt = len(tokens)
    for _ in range(12):
        tokens.append(int(logprobs(network, tokens)[-1].argmax()))
    written = tokens[n_prompt:]
    end = next(place for place in range(1, 12) if written[place] not in written[:place])
    ending = make_tiny_model(tmp_path / "ending", eos_token_id=[1, written[end]])
    opened = await provider(ending).open("tiny")

    found = await opened.generate(asking("The capital", max_tokens=12))

    await opened.aclose()
    assert found.texts == (tokenizer.decode(written[:end], skip_special_tokens=True),)
    assert (found.stop_reasons, found.n_completion_tokens) == (("stop",), end + 1)


async def test_the_context_bounds_prompt_and_answer(model: Model) -> None:
    whole = await model.generate(asking("x", max_tokens=None))
    too_much = await model.generate(asking("x", max_tokens=1000))
    with pytest.raises(ModelError) as caught:
        await model.generate(asking("x " * CONTEXT_SIZE))
    with pytest.raises(ModelError) as scored:
        await model.generate(make_request("x " * CONTEXT_SIZE, mode="loglikelihood"))

    assert whole.stop_reasons == ("length",)
    assert whole.n_prompt_tokens is not None
    assert whole.n_completion_tokens == CONTEXT_SIZE - whole.n_prompt_tokens
    assert too_much.texts == whole.texts
    assert (caught.value.kind, scored.value.kind) == ("context_too_long", "context_too_long")
    assert caught.value.what == "the prompt has 256 tokens, and the model's context has 128"


async def test_a_sampled_answer_comes_from_its_seed_alone(model: Model) -> None:
    drawn = asking("The capital", temperature=1.0, seed=3)
    first = await model.generate(drawn)
    neighbours = [asking(prompt, temperature=2.0, seed=4) for prompt in PROMPTS]

    found = await asyncio.gather(*[model.generate(one) for one in (*neighbours, drawn)])
    other = await model.generate(asking("The capital", temperature=1.0, seed=5))

    assert found[-1].texts == first.texts
    assert other.texts != first.texts


async def test_without_a_seed_a_request_is_answered_alike_each_time(model: Model) -> None:
    drawn = asking("The capital", temperature=1.0)

    assert (await model.generate(drawn)).texts == (await model.generate(drawn)).texts


async def test_several_answers(model: Model) -> None:
    drawn = await model.generate(asking("The capital", temperature=2.0, seed=1, n=3))
    greedy = await model.generate(asking("The capital", n=3))

    assert len(set(drawn.texts)) == 3
    assert drawn.stop_reasons == ("length",) * 3
    assert len(greedy.texts) == 3
    assert len(set(greedy.texts)) == 1


async def test_more_arguments_reach_transformers_and_odd_ones_are_refused(model: Model) -> None:
    plain = await model.generate(asking("The capital", max_tokens=20))
    changed = await model.generate(
        asking("The capital", max_tokens=20, extra_body={"repetition_penalty": 5.0})
    )
    with pytest.raises(ModelError) as caught:
        await model.generate(asking("The capital", extra_body={"no_such_argument": 1}))

    assert changed.texts != plain.texts
    assert caught.value.kind == "bad_request"
    assert caught.value.what.startswith("transformers refuses the request: ")


async def test_a_chat_is_written_by_the_template(model: Model) -> None:
    turns = (Message("system", "Be brief."), Message("user", "France?"))
    chat = replace(asking("", mode="chat"), messages=turns)
    begun = replace(chat, messages=(*turns, Message("assistant", "It is")))

    found = [await model.generate(request) for request in (chat, begun)]
    text = "<|system|>Be brief.<|end|><|user|>France?<|end|><|assistant|>"
    expected = [await model.generate(asking(text + rest)) for rest in ("", "It is")]

    assert [one.texts for one in found] == [one.texts for one in expected]
    assert [one.n_prompt_tokens for one in found] == [one.n_prompt_tokens for one in expected]


@pytest.mark.parametrize(
    ("template", "what"),
    [
        (None, "the tokenizer of 'tiny' has no chat template"),
        (
            "{{ raise_exception('only users speak') }}",
            "the chat template refuses the conversation: only users speak",
        ),
    ],
)
async def test_a_chat_that_cannot_be_written(
    tmp_path: Path, template: str | None, what: str
) -> None:
    made = make_tiny_model(tmp_path / "made", template=template)
    opened = await provider(made).open("tiny")

    with pytest.raises(ModelError) as caught:
        await opened.generate(make_request())

    await opened.aclose()
    assert (caught.value.kind, caught.value.what) == ("bad_request", what)


async def test_how_much_is_thought_is_said_in_the_template_s_words(
    tmp_path: Path, model: Model
) -> None:
    template = "<|user|>{{ 'think' if enable_thinking else 'no' }}{{ style }}"
    made = make_tiny_model(tmp_path / "made", template=template)
    opened = await provider(made, chat_template_args={"style": "!"}).open("tiny")

    found = [
        await opened.generate(asking("x", mode="chat", reasoning=Reasoning(effort=effort)))
        for effort in ("none", "high")
    ]
    expected = [await opened.generate(asking(f"<|user|>{text}!")) for text in ("no", "think")]
    with pytest.raises(ModelError) as budget:
        await opened.generate(asking("x", mode="chat", reasoning=Reasoning(budget=9)))
    with pytest.raises(ModelError) as unknown:
        await model.generate(asking("x", mode="chat", reasoning=Reasoning(effort="low")))

    await opened.aclose()
    assert [one.texts for one in found] == [one.texts for one in expected]
    assert budget.value.what == "this model's chat template has no word for `reasoning.budget`"
    assert unknown.value.what == "this model's chat template has no word for `reasoning.effort`"


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"tools": (ToolSpec("now"),)}, "tools"),
        ({"messages": (Message("user", (ImagePart("image/png", b"png"),)),)}, "images"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
    ],
)
async def test_what_it_cannot_do_is_refused(
    model: Model, changes: dict[str, Any], name: str
) -> None:
    with pytest.raises(ModelError) as caught:
        await model.generate(replace(make_request(), **changes))

    assert str(caught.value) == (
        f"a model of `transformers` cannot be asked with {name}\n"
        "  try:   serve it with vLLM: `vllm/NAME` with `serve: true`"
    )


def test_special_tokens_are_no_part_of_a_text(folder: Path) -> None:
    loaded = loaded_from(folder)

    assert loaded.decode(loaded.encode_bare("<s>a<|system|>b</s>")) == "ab"


def test_special_tokens_that_mark_reasoning_stay_in_a_text(tmp_path: Path) -> None:
    """Else the thought would be judged as the answer."""
    marked = make_tiny_model(tmp_path / "marked", special=("[THINK]", "[/THINK]"))
    loaded = loaded_from(marked)

    found = loaded.decode(loaded.encode_bare("<s>[THINK]a[/THINK]b<|end|></s>"))

    assert found == "[THINK]a[/THINK]b<|end|>"


def loaded_from(folder: Path) -> CausalModel:
    return load_causal_model("tiny", TransformersSettings(weights=str(folder), device="cpu"))


class Small:
    """The tiny model on a device whose memory holds two texts."""

    def __init__(self, network: Any) -> None:
        self._network = network
        self.n_refused = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._network, name)

    def __call__(self, **given: Any) -> Any:
        self._check(given)
        return self._network(**given)

    def generate(self, **given: Any) -> Any:
        self._check(given)
        return self._network.generate(**given)

    def _check(self, given: Any) -> None:
        if given["input_ids"].shape[0] > 2 or given["input_ids"].shape[1] > 50:
            self.n_refused += 1
            raise torch.OutOfMemoryError("no memory")


async def test_a_batch_that_the_memory_is_too_small_for_is_halved(folder: Path) -> None:
    loaded = loaded_from(folder)
    small = Small(loaded.network)
    opened = TransformersModel(replace(loaded, network=small), batch_size=8)
    plain = TransformersModel(loaded, batch_size=8)
    requests = [asking(prompt) for prompt in PROMPTS]

    found = await asyncio.gather(*[opened.generate(request) for request in requests])
    expected = await asyncio.gather(*[plain.generate(request) for request in requests])
    with pytest.raises(ModelError) as caught:
        await opened.generate(asking("x " * 30))

    assert [one.texts for one in found] == [one.texts for one in expected]
    assert small.n_refused == 2
    assert caught.value.kind == "bad_request"
    assert caught.value.what == "the device has too little memory for this request"
    await opened.aclose()
    await plain.aclose()


async def test_a_run_scores_choices_and_answers(folder: Path, tmp_path: Path) -> None:
    samples = [
        Sample(str(n), f"Capital {n}?", ("Paris",), choices=("Paris", "Rome"), answer=0)
        for n in range(20)
    ]

    outcome = await run_in(
        tmp_path,
        datasets={"fake": FakeDataset(samples)},
        models={"transformers": provider(folder, batch_size=4)},
        tasks=[
            {"dataset": {"use": "fake", "name": name}, "answer_by": name}
            for name in ("generation", "loglikelihood")
        ],
        generation={"max_tokens": 4},
    )

    assert [result.n_failed for result in outcome.summary.results] == [0, 0]
    assert [result.n_samples for result in outcome.summary.results] == [20, 20]


def test_what_makes_another_model(folder: Path, tmp_path: Path) -> None:
    def identity(**settings: Any) -> str:
        return provider(folder, **settings).describe("tiny").cache_key

    copy = make_tiny_model(tmp_path / "copy")
    other = make_tiny_model(tmp_path / "other", num_hidden_layers=1)

    assert identity() == identity(batch_size=2, device="cuda") == identity(weights=str(copy))
    assert len({identity(), identity(weights=str(other)), identity(dtype="bfloat16")}) == 3
    hub = [
        TransformersProvider(TransformersSettings(revision=revision)).describe("org/m")
        for revision in (None, "v1")
    ]
    assert hub[0].cache_key != hub[1].cache_key
    assert hub[0].modes == {"chat", "completion", "loglikelihood", "rolling"}


def test_without_a_template_there_is_no_chat(folder: Path, tmp_path: Path) -> None:
    plain = make_tiny_model(tmp_path / "plain", template=None)

    assert "chat" not in provider(plain).describe("tiny").modes
    assert "chat" not in provider(folder, chat=False).describe("tiny").modes
    assert "chat" in provider(plain, chat=True).describe("tiny").modes
    assert provider(folder, batch_size=5).describe("tiny").max_concurrency == 10
    assert provider(folder).describe("tiny").lacks == {"tools"}


@pytest.mark.parametrize(
    "changes", [{"device": "no-such-device"}, {"weights": "/no/such/folder"}], ids=str
)
async def test_a_model_that_cannot_be_loaded(folder: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(ModelError) as caught:
        await provider(folder, **changes).open("tiny")

    assert caught.value.kind == "not_found"
    assert caught.value.what.startswith("transformers cannot load the model: ")
    assert caught.value.where == changes.get("weights", str(folder))


async def test_weights_that_are_cut_off(tmp_path: Path) -> None:
    broken = make_tiny_model(tmp_path / "broken")
    (broken / "model.safetensors").write_bytes(b"\x10")

    with pytest.raises(ModelError) as caught:
        await provider(broken).open("tiny")

    assert caught.value.kind == "not_found"


def test_a_folder_without_a_model(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        provider(tmp_path).describe("tiny")

    assert str(caught.value) == (
        f"the folder '{tmp_path}' has no model: there is no config.json in it\n"
        "  try:   it is a folder with config.json and the weights, as `save_pretrained` makes it"
    )


def test_libraries_that_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)

    with pytest.raises(ConfigError) as caught:
        TransformersProvider(TransformersSettings()).describe("org/m")

    assert str(caught.value) == (
        'torch and transformers not installed\n  try:   pip install "llmeval-models[transformers]"'
    )


def test_nothing_heavy_is_imported_before_a_model_is_opened(folder: Path) -> None:
    code = (
        "import sys\n"
        "from llmeval_models.model_settings import TransformersSettings\n"
        "from llmeval_models.transformers.transformers_provider import TransformersProvider\n"
        "TransformersProvider(TransformersSettings(weights=sys.argv[1])).describe('m')\n"
        "print({'torch', 'transformers', 'tokenizers', 'numpy'} & sys.modules.keys())"
    )

    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True
    )

    assert done.stdout == "set()\n"
