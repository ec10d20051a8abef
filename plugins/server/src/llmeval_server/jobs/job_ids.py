"""Ids of jobs: short, safe in a path, and always the same for one idempotency key."""

from __future__ import annotations

import hashlib
import re
import uuid

_LENGTH = 20
_PATTERN = re.compile(rf"[0-9a-f]{{{_LENGTH}}}")


def new_job_id() -> str:
    """Make a unique id."""
    return uuid.uuid4().hex[:_LENGTH]


def job_id_of_key(key: str) -> str:
    """Return the id of the job with an idempotency key, which does not reveal the key."""
    digest = hashlib.sha256(b"llmeval job\0" + key.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:_LENGTH]


def is_job_id(text: str) -> bool:
    """Whether a text has the form of a job's id, and so is safe in a path."""
    return _PATTERN.fullmatch(text) is not None
