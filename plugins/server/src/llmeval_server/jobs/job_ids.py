"""Ids of jobs: short, fit for a path, and for one idempotency key always the same."""

from __future__ import annotations

import hashlib
import re
import uuid

_LENGTH = 20
_PATTERN = re.compile(rf"[0-9a-f]{{{_LENGTH}}}")


def new_job_id() -> str:
    """Make an id that nobody else has."""
    return uuid.uuid4().hex[:_LENGTH]


def job_id_of_key(key: str) -> str:
    """Return the id of the job with this idempotency key; the key cannot be read from it."""
    digest = hashlib.sha256(b"llmeval job\0" + key.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:_LENGTH]


def is_job_id(text: str) -> bool:
    """Say whether this could be the id of a job, and so is safe in a path."""
    return _PATTERN.fullmatch(text) is not None
