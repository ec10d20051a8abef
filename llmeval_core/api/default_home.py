"""The project's folder: where the journal lies, and what trackers keep."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from llmeval_core.paths import DEFAULT_HOME, HOME_VARIABLE, expand_path


def project_folder(
    home: str | os.PathLike[str] | None = None, environ: Mapping[str, str] = os.environ
) -> Path:
    """Return the folder that is named, or that of `LLMEVAL_HOME`, or `.llmeval`; `~` is expanded.

    Args:
        home: the folder; None to look further.
        environ: where the variable is read.
    """
    return expand_path(os.fspath(home or environ.get(HOME_VARIABLE) or DEFAULT_HOME))
