"""Prompting: what is asked, which examples are shown, and what makes a request another one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from llmeval_core.errors import ConfigError
from llmeval_core.prompting import Prompter, PromptError
from llmeval_core.records import ImagePart, Message, Request, Sample, TextPart, ToolCall
from llmeval_core.testing import FakeDataset, FakeModel
from llmeval_core.testing.running import plan_of

QUESTIONS = [Sample(f"s{n}", f"q{n}", (f"a{n}",)) for n in range(20)]


def prompter(task: dict[str, Any], *, samples: list[Sample] | None = None, **run: Any) -> Prompter:
    plan = plan_of(
        datasets={"fake": FakeDataset(QUESTIONS if samples is None else samples)},
        tasks=[{"dataset": "fake", **task}],
        **run,
    )
    evaluation = plan.evaluations[0]
    made = Prompter(evaluation.model, evaluation.tasks[0])
    made.load_pool()
    return made


def texts(request: Request) -> list[str]:
    return [message.text for message in request.messages]


def test_a_chat_without_examples_is_one_question() -> None:
    request = prompter({"prompt": {"system": "Be brief."}}).request(QUESTIONS[0])

    assert request.messages == (Message("system", "Be brief."), Message("user", "q0"))


def test_examples_are_turns_of_a_chat() -> None:
    task = {"shots": 2, "few_shot": {"select": "first"}, "prompt": {"preamble": "Answer."}}

    request = prompter(task).request(QUESTIONS[5])

    assert [m.role for m in request.messages] == ["user", "assistant"] * 2 + ["user"]
    assert texts(request) == ["Answer.\n\nq0", "a0", "q1", "a1", "q5"]


def test_examples_can_be_one_text() -> None:
    task = {
        "shots": 2,
        "few_shot": {"select": "first"},
        "prompt": {"mode": "completion", "template": "Q: {{ input }}\nA:", "preamble": "P"},
    }

    request = prompter(task).request(QUESTIONS[5])

    assert request.prompt == "P\n\nQ: q0\nA: a0\n\nQ: q1\nA: a1\n\nQ: q5\nA:"


def test_a_template_can_show_the_examples_itself() -> None:
    template = "{% for e in examples %}{{ loop.index }}{{ e.input }}{{ e.output }} {% endfor %}"
    task = {
        "shots": 1,
        "few_shot": {"select": "first"},
        "prompt": {"template": template + "{{ input }}", "examples": "template", "answer": "=a0"},
    }

    request = prompter(task).request(QUESTIONS[5])

    assert texts(request) == ["1q0=a0 q5"]


@pytest.mark.parametrize("select", ["first", "random"])
def test_a_sample_is_never_its_own_example(select: str) -> None:
    twins = [*QUESTIONS, Sample("twin", "q3", ("a3",))]
    made = prompter({"shots": 19, "few_shot": {"select": select}}, samples=twins)

    for sample in twins:
        shown = texts(made.request(sample))[:-1:2]
        assert sample.input not in shown


def test_random_examples_depend_on_seed_and_sample_alone() -> None:
    task = {"shots": 3}
    made = prompter(task)
    forward = [made.request(sample).fingerprint for sample in QUESTIONS]

    again = prompter(task)
    backward = [again.request(sample).fingerprint for sample in reversed(QUESTIONS)]
    other_seed = [prompter(task, seed=1).request(sample).fingerprint for sample in QUESTIONS]

    assert forward == backward[::-1]
    assert forward != other_seed
    assert len({tuple(texts(made.request(sample))[:-1]) for sample in QUESTIONS}) > 10


def test_choices_become_continuations_by_log_likelihood() -> None:
    sample = Sample("c", "Sky?", ("blue",), choices=("red", "blue"), answer=1)

    request = prompter({}, samples=[sample, *QUESTIONS]).request(sample)

    assert request.mode == "loglikelihood"
    assert (request.prompt, request.continuations) == ("Sky?", (" red", " blue"))


def test_choices_are_lettered_where_the_model_cannot_weigh_them() -> None:
    sample = Sample("c", "Sky?", ("blue",), choices=("red", "blue"), answer=1)
    model = FakeModel(modes=frozenset({"chat"}))

    request = prompter({}, samples=[sample], models={"fake": model}).request(sample)

    assert texts(request) == ["Sky?\nA. red\nB. blue\nAnswer:"]


def test_a_name_that_does_not_exist_fails_the_sample_and_names_the_template() -> None:
    made = prompter({"prompt": {"template": "{{ inptu }}"}})

    with pytest.raises(PromptError, match=r"prompt\.template: 'inptu' is undefined"):
        made.request(QUESTIONS[0])


def test_values_in_a_template_become_text_in_one_form() -> None:
    metadata = {"n": 2.0, "yes": True, "price": 0.1}
    template = (
        "{{ metadata.n }} {{ metadata.yes }} {{ metadata.price }} {{ letters[0:0] | length }}"
    )

    request = prompter({"prompt": {"template": template}}).request(
        Sample("s", "q", ("a",), metadata=metadata)
    )

    assert texts(request) == ["2 true 0.1 0"]


@pytest.mark.parametrize(
    ("template", "kind"),
    [
        ("{{ metadata.gone }}", "None (null)"),
        ("{{ letter }}", "None (null)"),
        ("{{ references }}", "a tuple, not a text"),
        ("{{ metadata.tags }}", "a list, not a text"),
        ("{{ metadata }}", "a dict, not a text"),
    ],
)
def test_a_value_that_is_no_text_never_becomes_python_s_text(template: str, kind: str) -> None:
    sample = Sample("s", "q", ("a",), metadata={"gone": None, "tags": ["x"]})

    with pytest.raises(PromptError) as caught:
        prompter({"prompt": {"template": template}}).request(sample)

    assert str(caught.value) == (
        f"prompt.template: a value is {kind}; `| join(', ')`, `| tojson` or `if` may help"
    )


def test_a_template_with_a_syntax_error_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        prompter({"prompt": {"template": "{{ input"}})

    assert caught.value.where == "fake_0shot, line 1 of prompt.template"


def test_too_small_a_pool_is_refused() -> None:
    with pytest.raises(ConfigError, match="has 2 samples, 3 are asked for"):
        prompter({"shots": 3}, samples=QUESTIONS[:2])


@pytest.mark.parametrize(
    "task",
    [
        {"generation": {"max_tokens": 5}},
        {"generation": {"temperature": 1}},
        {"generation": {"stop": ["\n"]}},
        {"prompt": {"system": "x"}},
        {"prompt": {"template": "{{ input }}?"}},
        {"prompt": {"mode": "completion"}},
        {"shots": 1},
    ],
)
def test_what_changes_the_answer_changes_the_fingerprint(task: dict[str, Any]) -> None:
    plain = prompter({}).request(QUESTIONS[0]).fingerprint

    assert prompter(task).request(QUESTIONS[0]).fingerprint != plain


def test_what_does_not_change_the_answer_keeps_the_fingerprint() -> None:
    plain = prompter({}).request(QUESTIONS[0]).fingerprint

    assert prompter({"limit": 3}, concurrency=2, seed=9).request(QUESTIONS[0]).fingerprint == plain


@pytest.mark.parametrize(
    "twin",
    [
        "What is the capital of Peru? ",
        "what is the  CAPITAL of Peru?",
        "What is the capital of Peru ？",
        "What is the capital of Peru",
        "Ｗhat is\u200b the capital of Peru?",
    ],
)
def test_an_item_is_known_whatever_its_white_space_case_and_width(twin: str) -> None:
    """Case d08-few-shot-leak-by-white-space."""
    sample = Sample("s", "What is the capital of Peru?", ("Lima",))
    pool = [Sample("t", twin, ("Lima",)), Sample("u", "And of Chile?", ("Santiago",))]

    request = prompter({"shots": 1}, samples=pool).request(sample)

    assert texts(request) == ["And of Chile?", "Santiago", "What is the capital of Peru?"]


def test_an_item_is_known_by_all_that_is_shown_not_by_its_input_alone() -> None:
    """Case d09-same-input-in-all-rows."""
    samples = [
        Sample(str(n), "Translate to French.", (f"mot{n}",), metadata={"text": f"word{n}"})
        for n in range(3)
    ]
    task = {
        "shots": 2,
        "few_shot": {"select": "first"},
        "prompt": {"template": "{{ input }}\n{{ metadata.text }}"},
    }

    request = prompter(task, samples=samples).request(samples[0])

    assert texts(request)[::2] == [f"Translate to French.\nword{n}" for n in (1, 2, 0)]


def test_an_item_is_known_with_its_choices_in_another_order() -> None:
    model = FakeModel(modes=frozenset({"chat"}))
    sample = Sample("s", "Sky?", ("blue",), ("blue", "red"), 0)
    twin = Sample("t", "Sky?", ("blue",), ("red", "blue"), 1)
    other = Sample("u", "Sky?", ("grey",), ("grey", "green"), 0)
    made = prompter({"shots": 1}, samples=[twin, other, sample], models={"fake": model})

    assert "grey" in texts(made.request(sample))[0]


def test_a_pool_that_asks_the_same_everywhere_is_told() -> None:
    samples = [Sample(str(n), "Translate.", ("x",)) for n in range(4)]

    with pytest.raises(PromptError, match="only 0 other samples: 4 of 4 ask the same as this one"):
        prompter({"shots": 2}, samples=samples).request(samples[0])


def conversation(n: int) -> Sample:
    turns = (
        Message("system", "Be terse."),
        Message("user", f"I study country {n}."),
        Message("assistant", "Nice."),
        Message("user", "Its capital?"),
    )
    return Sample(f"c{n}", turns, (f"city {n}",))


def test_a_conversation_goes_to_the_model_as_it_is() -> None:
    """Case n2-chat-messages."""
    sample = conversation(1)

    request = prompter({"prompt": {"system": "Unused."}}, samples=[sample]).request(sample)

    assert request.messages == sample.input


def test_examples_of_conversations_are_turns_before_it() -> None:
    """Case n2-chat-messages."""
    samples = [conversation(n) for n in range(3)]
    task = {"shots": 1, "few_shot": {"select": "first"}}

    request = prompter(task, samples=samples).request(samples[2])

    assert [message.role for message in request.messages] == [
        *("system", "user", "assistant", "user", "assistant", "user", "assistant", "user")
    ]
    shown = ["I study country 0.", "Nice.", "Its capital?", "city 0", "I study country 2."]
    assert texts(request)[1:6] == shown


def test_a_template_renders_the_last_turn_or_all_of_them() -> None:
    sample = conversation(1)
    last = prompter({"prompt": {"template": "{{ input }} One word."}}, samples=[sample])
    every = "{% for turn in messages %}{{ turn.role }}: {{ turn.content }}\n{% endfor %}"
    whole = prompter({"prompt": {"template": every, "mode": "completion"}}, samples=[sample])

    assert texts(last.request(sample))[1:] == [
        "I study country 1.",
        "Nice.",
        "Its capital? One word.",
    ]
    assert whole.request(sample).prompt == (
        "system: Be terse.\nuser: I study country 1.\nassistant: Nice.\nuser: Its capital?\n"
    )


def test_a_conversation_is_not_made_one_text_in_silence() -> None:
    sample = conversation(1)
    made = prompter({"prompt": {"mode": "completion"}}, samples=[sample])

    with pytest.raises(PromptError, match="a conversation cannot be shown as one text"):
        made.request(sample)


def test_items_with_one_question_and_different_images_are_different() -> None:
    """Also where the images are addresses, whose bytes nobody has."""
    pictures = [ImagePart("image/png", url=f"https://x/{n}.png") for n in "abc"]
    asked = [Sample(image.url or "", (Message("user", (image, TextPart("What?"))),), ("a cat",))
             for image in pictures]  # fmt: skip

    request = prompter({"shots": 2}, samples=asked).request(asked[0])

    shown = [image.url for message in request.messages for image in message.images]
    assert sorted(filter(None, shown[:2])) == ["https://x/b.png", "https://x/c.png"]
    assert shown[2] == "https://x/a.png"


def test_an_example_that_ends_with_what_a_tool_gave_stays_so() -> None:
    turns = [
        Message("user", "What time is it?"),
        Message("assistant", "", (ToolCall("c1", "clock", "{}"),)),
        Message("tool", "noon", tool_call_id="c1"),
    ]
    asked = [Sample(str(n), (*turns[:2], replace(turns[2], content=f"{n}:00")), ("noon",))
             for n in range(2)]  # fmt: skip

    request = prompter({"shots": 1}, samples=asked).request(asked[0])

    assert [turn.role for turn in request.messages] == [
        *("user", "assistant", "tool", "assistant"),
        *("user", "assistant", "tool"),
    ]
    assert request.messages[2] == Message("tool", "1:00", tool_call_id="c1")
