"""Which settings of a data set decide its samples, for fingerprints."""

from __future__ import annotations

from typing import Any

from llmeval_core.hooks import Settings

_ADDED = ("images",)


def meaning_of(settings: Settings, *, exclude: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Return settings as JSON (hence Any), for a fingerprint.

    What was added after the first version is left out where it is not set, so that it changes no
    fingerprint of those who do not use it.

    Args:
        settings: of the data set.
        exclude: settings that change nothing in the samples.
    """
    meaning = settings.model_dump(mode="json", exclude=set(exclude))
    return {key: value for key, value in meaning.items() if key not in _ADDED or value is not None}
