"""Which progress is shown: bars in a notebook or on a terminal, lines elsewhere, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

from llmeval.argument_check import checked_meter
from llmeval.notebook_display import NotebookDisplay, in_notebook
from llmeval_core.api import Progress, SilentProgress, TaskMeter
from llmeval_core.api.progress_bars import LiveProgress, PlainProgress


class CallersProgress:
    """Tells a progress of the caller's, whose meters are checked."""

    def __init__(self, told: Progress) -> None:
        self._told = told
        self.model_opening = told.model_opening
        self.waiting = told.waiting
        self.message = told.message

    def task_started(self, model: str, task: str, n_samples: int | None) -> TaskMeter:
        """Pass it on."""
        return checked_meter(self._told.task_started(model, task, n_samples))


@contextmanager
def display(wanted: bool | Progress) -> Iterator[tuple[Progress, Callable[[], None]]]:
    """Give the progress to tell, and what to call now and then in the thread that waits.

    Args:
        wanted: whether anything is shown; or who is told, who then shows it.
    """
    if not isinstance(wanted, bool):
        yield CallersProgress(wanted), _nothing
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
