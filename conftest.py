"""For all tests: names that are the same in every process, so that several can share the work."""

from __future__ import annotations

import pytest


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Name bytes by their number: those of an archive have the time in them."""
    del config
    return f"{argname}-{len(val)}-bytes" if isinstance(val, bytes) else None
