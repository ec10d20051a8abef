"""A console that shows what goes on: progress bars, on standard error."""

from __future__ import annotations

import os

from rich.console import Console

from llmeval_core.cli.console import err


def error_console() -> Console:
    """Make a console for standard error that takes text as it is.

    COLUMNS and LINES are passed over if they are no sizes.
    """
    environ = {
        name: value
        for name, value in os.environ.items()
        if name not in ("COLUMNS", "LINES")
        or (value.isascii() and value.isdigit() and int(value) > 0)
    }
    return Console(file=err(), markup=False, emoji=False, highlight=False, _environ=environ)
