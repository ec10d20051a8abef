"""A server with a model and a judge, whose answers are made of what they are asked alone.

Each answer carries the digest of what was asked, so that the journal of a run tells which of the
requests that came here it has the answers to.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.integration.journal_reading import journal_rows
from tests.integration.loopback_server import LoopbackServer

JUDGE = "judge"
"""The judge's name on the server; every other model is the one that is evaluated."""
_DIGEST = re.compile(r"\[?\b([0-9a-f]{16})\b")


def digest_of(body: Any) -> str:
    """Name a request by all that is in it; Any: JSON."""
    if isinstance(body, dict) and body.get("echo"):
        body = body["prompt"]
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:16]


class TaskServer(LoopbackServer):
    """Speaks OpenAI's chat completions and completions, with tools, schemas and echoes.

    Attributes:
        asked: how often each request came, by its digest.
        n_asked: how often each model was asked.
        latency_s: how long an answer takes, seconds.
        harm: says of a request's JSON which harm it meets, of those of `LoopbackServer`, or
            `words` for an answer that says nothing of use; None for none.
    """

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.n_asked: Counter[str] = Counter()
        self.latency_s = 0.0
        self.harm: Callable[[dict[str, Any]], str | None] = lambda body: None
        self._lock = threading.Lock()
        super().__init__()

    async def answer(self, body: dict[str, Any]) -> tuple[str | None, Any]:
        """Count a request, and answer or harm it; Any: JSON."""
        digest = digest_of(body)
        with self._lock:
            self.asked[digest] += 1
            self.n_asked[body["model"]] += 1
        harm = self.harm(body)
        if harm is not None and harm != "words":
            return harm, None
        if self.latency_s:
            await asyncio.sleep(self.latency_s)
        choices = _choices(body, digest)
        if harm == "words":
            choices[0]["message"]["content"] = f"I would rather not say, {digest}"
        said = sum(len(json.dumps(choice)) for choice in choices)
        n_tokens = {
            "prompt_tokens": len(json.dumps(body)) // 4,
            "completion_tokens": 0 if body.get("echo") else said // 4,
        }
        return None, {"model": body["model"], "choices": choices, "usage": n_tokens}

    def taken(self) -> Counter[str]:
        """Copy what was asked so far."""
        with self._lock:
            return self.asked.copy()

    def wait_for(self, n: int, until: Callable[[], bool] = lambda: False) -> None:
        """Return when at least so many requests have come in all, or something else is so."""
        deadline = time.monotonic() + 60
        while self.taken().total() < n and not until():
            assert time.monotonic() < deadline, "the run sends no requests"
            time.sleep(0.002)


def journalled(folder: Path) -> set[str]:
    """Read which requests have an answer in the journal, as another process would."""
    rows = journal_rows(folder, "SELECT texts, tool_calls, prompt, continuations FROM generations")
    return {_digest_in(*row) for row in rows}


def _digest_in(texts: str, tool_calls: str | None, prompt: str | None, weighed: str | None) -> str:
    """Find the digest in an answer, or make it of what was weighed."""
    found = _DIGEST.search(texts) or _DIGEST.search(tool_calls or "")
    if found is not None:
        return found.group(1)
    assert weighed is not None
    return digest_of([(prompt or "") + one for one in json.loads(weighed)])


def _choices(body: dict[str, Any], digest: str) -> list[dict[str, Any]]:
    """Make the choices of an answer; Any: JSON."""
    number = int(digest, 16)
    if body.get("echo"):
        return [
            {"index": index, "text": text, "logprobs": _echo(text)}
            for index, text in enumerate(body["prompt"])
        ]
    if "messages" not in body:
        return [{"index": 0, "text": f" {number % 3} [{digest}]", "finish_reason": "stop"}]
    message: dict[str, Any] = {"role": "assistant", "content": f"{number % 3} [{digest}]"}
    reason = "stop"
    if body["model"] == JUDGE:
        message["content"] = _verdict(body, digest)
    elif "tools" in body and body.get("tool_choice") != "none" and _wants_tool(body, number):
        arguments = json.dumps({"expression": f"{number % 97} + {len(body['messages'])}"})
        call = {"name": "calculator", "arguments": arguments}
        message |= {
            "content": None,
            "tool_calls": [{"id": digest, "type": "function", "function": call}],
        }
        reason = "tool_calls"
    elif "tools" in body:
        message["content"] = f"{body['messages'][-1]['content']} [{digest}]"
    return [{"index": 0, "message": message, "finish_reason": reason}]


def _wants_tool(body: dict[str, Any], number: int) -> bool:
    """Call a tool first, and sometimes again."""
    return body["messages"][-1]["role"] == "user" or number % 3 == 0


def _verdict(body: dict[str, Any], digest: str) -> str:
    """Judge by chance; a tenth of first answers cannot be read."""
    number = int(digest, 16)
    if number % 10 == 0 and body["messages"][-2]["role"] != "assistant":
        return f"let me think about {digest}"
    schema = body["response_format"]["json_schema"]["schema"]
    labels = schema["properties"]["verdict"]["enum"]
    return json.dumps({"reason": digest, "verdict": labels[number % len(labels)]})


def _echo(text: str) -> dict[str, Any]:
    """Tell log-probabilities of a text, a token a word with its space; and of one token more."""
    tokens = [*re.findall(r" ?[^ ]+| ", text), " the"]
    so_far = ["".join(tokens[: place + 1]) for place in range(len(tokens))]
    weights = [-1 - int(digest_of(one), 16) % 1000 / 250 for one in so_far]
    tops = [{token: weight} for token, weight in zip(tokens, weights, strict=True)]
    return {
        "tokens": tokens,
        "token_logprobs": [None, *weights[1:]],
        "top_logprobs": [None, *tops[1:]],
    }
