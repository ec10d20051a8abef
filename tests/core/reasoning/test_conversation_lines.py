"""A sample's conversation as a text: readable, complete, without bytes and without keys."""

from __future__ import annotations

from dataclasses import replace

import pytest

from llmeval_core.naming import fingerprint
from llmeval_core.reasoning import ReasoningFinder, conversation_text
from llmeval_core.records import (
    Generation,
    ImagePart,
    Loglikelihood,
    Message,
    Request,
    Sample,
    SampleResult,
    TextPart,
    ToolCall,
    Turn,
)
from llmeval_core.testing import make_request

CAT = ImagePart("image/png", b"\x89PNG a cat")
CALL = ToolCall("c1", "look", '{"at": "sky"}')
HELLO = Message("user", (TextPart("What is it?"), CAT))


def request(*messages: Message, **changes: object) -> Request:
    asked = replace(make_request(), messages=messages, **changes)  # type: ignore[arg-type]
    return replace(asked, fingerprint=fingerprint([turn.as_json() for turn in messages]))


def result(*turns: Turn, **changes: object) -> SampleResult:
    finished = SampleResult(0, Sample("s", "What is it?"), None, None, {}, turns=turns)
    return replace(finished, **changes)  # type: ignore[arg-type]


def text(finished: SampleResult) -> str | None:
    return conversation_text(finished, ReasoningFinder())


def test_of_each_turn_only_what_is_new_is_told() -> None:
    called = Message("assistant", "", (CALL,))
    told = Message("tool", "blue", tool_call_id="c1")
    turns = (
        Turn("model", request(HELLO), Generation(("",), tool_calls=(CALL,))),
        Turn("model", request(HELLO, called, told), Generation(("<think>Hm.</think>A cat.",))),
        Turn("judge", request(Message("user", "Right?\nSay.")), Generation(("yes",))),
        Turn(
            "judge",
            make_request("Right?", mode="loglikelihood"),
            Generation(loglikelihoods=(Loglikelihood(-0.25), Loglikelihood(-2.0))),
        ),
    )

    assert text(result(*turns)) == (
        "[user] What is it?\n"
        "(image/png, 10 bytes, sha256 308a7fc848bf)\n"
        '[assistant] look({"at": "sky"})\n'
        "[tool] blue\n"
        "[assistant] A cat.\n"
        "[to judge] Right?\n"
        "Say.\n"
        "[judge] yes\n"
        "[to judge] Right?\n"
        "[judge] -0.250 ' Paris'\n"
        "[judge] -2.000 ' Rome'"
    )


def test_one_request_with_an_image_is_told_and_one_of_text_is_not() -> None:
    seen = result(request=request(HELLO), generation=Generation(("A cat.",)))
    failed = result(sample=Sample("s", (HELLO,)))
    refused = result(request=request(HELLO), generation=Generation(("",), refusal="No."))
    plain = result(request=request(Message("user", "hi")), generation=Generation(("hi",)))

    shown = "[user] What is it?\n(image/png, 10 bytes, sha256 308a7fc848bf)"
    assert text(seen) == f"{shown}\n[assistant] A cat."
    assert text(failed) == shown
    assert text(refused) == f"{shown}\n[assistant] (refused) No."
    assert text(plain) is None
    assert text(result()) is None


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://x.org/a.png", "https://x.org/a.png"),
        ("https://me:pass@x.org:8443/a.png?sig=secret#top", "https://x.org:8443/a.png?..."),
        ("data:image/png;base64,AAAA", "26 characters of data"),
        ("https://x.org:port/?sig=secret", "an address"),
    ],
)
def test_an_address_is_told_without_what_may_be_a_key(url: str, shown: str) -> None:
    seen = result(request=request(Message("user", (ImagePart("image/png", url=url),))))

    assert text(seen) == f"[user] (image/png, {shown})"
