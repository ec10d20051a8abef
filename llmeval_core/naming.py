"""Names and keys: how tasks, metrics and models are called, and which name was meant."""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from collections.abc import Iterable

from pydantic import JsonValue as Json

__all__ = [
    "NAME_PATTERN",
    "Json",
    "canonical_json",
    "did_you_mean",
    "did_you_mean_key",
    "fingerprint",
    "fingerprint_of_text",
    "metric_key",
    "split_model_name",
    "split_reference",
    "task_key",
]

NAME_PATTERN = re.compile(r"[^\s/:]+")
"""What a data set, provider, metric or tracker may be called: no space, slash or colon."""

_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode


def task_key(dataset: str, n_shots: int, variant: str | None = None) -> str:
    """Name a task: `aio_0shot`, or `aio_0shot.polite` for a variant of it."""
    key = f"{dataset}_{n_shots}shot"
    return key if variant is None else f"{key}.{variant}"


def metric_key(task: str, metric: str, category: str | None = None) -> str:
    """Name one number: `aio_0shot_accuracy`, or `aio_0shot_accuracy/history` for a category."""
    key = f"{task}_{metric}"
    return key if category is None else f"{key}/{category}"


def split_model_name(name: str) -> tuple[str, str]:
    """Split `provider/model` at the first slash; both parts are empty if it has no slash."""
    provider, slash, model = name.partition("/")
    return (provider, model) if slash else ("", "")


def split_reference(reference: str) -> tuple[str, str | None]:
    """Split `jsonl:my.jsonl` into the component's name and its argument (None without a colon)."""
    name, colon, argument = reference.partition(":")
    return name, argument if colon else None


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """Return `did you mean 'x'?` for the nearest known name, or None if none is near."""
    nearest = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.6)
    return f"did you mean '{nearest[0]}'?" if nearest else None


def did_you_mean_key(key: str, known: Iterable[str]) -> str | None:
    """Return `did you mean 'aio_0shot'?` for a key, also for the data set's name alone."""
    listed = list(known)
    longer = sorted((one for one in listed if one.startswith(f"{key}_")), key=len)
    return f"did you mean '{longer[0]}'?" if longer else did_you_mean(key, listed)


def canonical_json(value: Json) -> str:
    """Write a JSON value in the one way that fingerprints are taken of: keys sorted, no spaces."""
    return _encode(value)


def fingerprint(value: Json) -> str:
    """Return 32 hex digits that are equal exactly if the JSON values are equal.

    BLAKE2b with 16 bytes over the canonical JSON text, in UTF-8.
    """
    return fingerprint_of_text(_encode(value))


def fingerprint_of_text(text: str) -> str:
    """Return the fingerprint of a value whose `canonical_json` is at hand, whole or put together.

    Of `[a, b, c]`, where only `a` changes, the text of the rest need be written only once.
    """
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
