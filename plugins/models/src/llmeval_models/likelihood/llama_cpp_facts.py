"""What a llama.cpp server tells of itself and of the model that it has loaded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from llmeval_core.hooks import ModelError
from llmeval_models.http.json_client import JsonClient
from llmeval_models.likelihood.next_token import tokenize

_MOST_SLOTS = 1024


@dataclass(frozen=True, slots=True)
class LlamaCppFacts:
    """What `/props` tells.

    Attributes:
        n_slots: how many requests it works on at once; None if it does not tell.
        context_size: tokens of prompt and answer together; None if it does not tell.
        first: the text of the token that begins a text; empty if it does not tell.
        prefix_token: what stands before a text that has nothing before it, as in
            lm-evaluation-harness: the token that begins a text, else the one that ends it; None
            if it tells neither.
    """

    n_slots: int | None
    context_size: int | None
    first: str
    prefix_token: int | None


async def read_llama_cpp_facts(client: JsonClient) -> LlamaCppFacts:
    """Ask a server what it is.

    Raises:
        ModelError: as the client; `malformed` if it is no llama.cpp server.
    """
    told = await client.get("/props", at_root=True)
    props: dict[str, Any] = told if isinstance(told, dict) else {}  # JSON
    slot = props.get("default_generation_settings")
    n_slots = _count(props.get("total_slots"))
    first = _text(props.get("bos_token"))
    return LlamaCppFacts(
        n_slots=None if n_slots is None else min(n_slots, _MOST_SLOTS),
        context_size=_count(slot.get("n_ctx"), least=2) if isinstance(slot, dict) else None,
        first=first,
        prefix_token=await _one_token(client, first or _text(props.get("eos_token"))),
    )


def no_llama_cpp(what: str) -> ModelError:
    """Make the error for a server that is another one."""
    return ModelError(
        "malformed",
        f"the server does not {what} as llama.cpp does",
        hint="`loglikelihood: llama_cpp` is for llama.cpp's own server",
    )


async def _one_token(client: JsonClient, text: str) -> int | None:
    """Find the one token that a text stands for; None if there is no such token."""
    if not text:
        return None
    found = await tokenize(client, text, special=False)
    return found[0] if len(found) == 1 else None


def _count(value: Any, *, least: int = 1) -> int | None:
    """Read a number; Any: JSON."""
    return value if type(value) is int and value >= least else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
