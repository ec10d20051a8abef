"""Which progress is shown: bars in a notebook or on a terminal, lines elsewhere, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

from llmeval.notebook_display import NotebookDisplay, in_notebook
from llmeval_core.api import Progress, SilentProgress
from llmeval_core.api.progress_bars import LiveProgress, PlainProgress


@contextmanager
def display(wanted: bool | Progress) -> Iterator[tuple[Progress, Callable[[], None]]]:
    """Give the progress to tell, and what to call now and then in the thread that waits.

    Args:
        wanted: whether anything is shown; or who is told, who then shows it.
    """
    if not isinstance(wanted, bool):
        yield wanted, _nothing
    elif not wanted:
        yield SilentProgress(), _nothing
    elif in_notebook():
        notebook = NotebookDisplay()
        try:
            yield notebook, notebook.refresh
        finally:
            notebook.refresh()
    else:
        console = Console(
            stderr=True, markup=False, emoji=False, highlight=False, force_jupyter=False
        )
        if not console.is_terminal:
            yield PlainProgress(console), _nothing
            return
        with LiveProgress(console) as live:
            yield live, _nothing


def _nothing() -> None:
    """Do nothing: the display shows itself."""
