"""What a maker wants back with a call of a tool (a signature, a thought), kept in the call's id.

So it is in the conversation and in the journal with everything else, and a run that goes on after
it was killed sends what it would have sent.
"""

from __future__ import annotations

import json
from typing import Any

from llmeval_core.hooks import ModelError

_BETWEEN = "|state:"


def with_state(identity: str, state: Any) -> str:
    """Put a state behind the id that a server gave; nothing if there is none. Any: JSON.

    Raises:
        ModelError: `malformed`, it is nested too deeply.
    """
    if not state:
        return identity
    try:
        return f"{identity}{_BETWEEN}{json.dumps(state, separators=(',', ':'))}"
    except RecursionError as err:
        raise ModelError("malformed", "a thought of the answer is nested too deeply") from err


def split_state(identity: str) -> tuple[str, Any]:
    """Tell an id from its state; None if it has none. Any: JSON."""
    own, between, written = identity.partition(_BETWEEN)
    if not between:
        return identity, None
    try:
        return own, json.loads(written)
    except (ValueError, RecursionError):
        return identity, None
