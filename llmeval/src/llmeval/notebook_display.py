"""Progress in a notebook: one output below the cell, with a bar for each task.

The run is in another thread than the notebook. It only counts; what is shown is written by the
thread that waits, because a notebook takes the output of other threads for that of any cell.
"""

from __future__ import annotations

import html
import sys
import threading
from typing import Any

from llmeval_core.api import SampleResult, TaskMeter, TaskResult, shown
from llmeval_core.api.progress_bars import TaskCounts, finished_text

MOST_FINISHED = 30
"""Bars of finished tasks that stay; older ones are counted."""
MOST_MESSAGES = 20
"""Lines that are kept below the bars; the oldest go."""


def in_notebook() -> bool:
    """Say whether this process is the kernel of a notebook; a terminal with IPython is not."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None) is not None


class NotebookDisplay:
    """Shows a bar for each task, and below them what people should read."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bars: list[NotebookBar] = []
        self._openings: set[str] = set()
        self._messages: list[str] = []
        self._output: Any = None  # Any: IPython has no types
        self._text = ""

    def model_opening(self, model: str) -> None:
        """Show that the model is made ready, until its first task begins to count."""
        with self._lock:
            self._openings.add(model)

    def waiting(self, model: str, task: str) -> None:
        """Show that another process is at it."""
        self.message(f"{model} {task}: waiting for another process that asks the same")

    def message(self, text: str) -> None:
        """Show it below the bars."""
        with self._lock:
            self._messages = [*self._messages, text][-MOST_MESSAGES:]

    def task_started(self, model: str, task: str, n_samples: int | None) -> TaskMeter:
        """Add a bar."""
        with self._lock:
            bar = NotebookBar(self._lock, model, task, n_samples)
            self._bars.append(bar)
        return bar

    def refresh(self) -> None:
        """Write what is new; called by the thread that has the notebook's output."""
        text = self.as_html()
        if text == self._text:
            return
        from IPython.display import HTML, display  # noqa: PLC0415  only a notebook has it

        self._text = text
        if self._output is None:
            self._output = display(HTML(text), display_id=True)
        else:
            self._output.update(HTML(text))

    def as_html(self) -> str:
        """Write the bars and the lines below them."""
        with self._lock:
            finished = [bar for bar in self._bars if bar.is_finished]
            gone = set(finished[:-MOST_FINISHED])
            rows = "".join(bar.as_html(self._openings) for bar in self._bars if bar not in gone)
            lines = "".join(f"<div>{_escaped(text)}</div>" for text in self._messages)
        head = f"<div>{len(gone)} more tasks are finished</div>" if gone else ""
        return f"{head}<table>{rows}</table>{lines}" if rows or lines else ""


class NotebookBar:
    """Counts one task, and writes its bar."""

    def __init__(self, lock: threading.Lock, model: str, task: str, n_samples: int | None) -> None:
        self._lock = lock
        self._model = model
        self._counts = TaskCounts(f"{model} {task}", n_samples)
        self._ended: str | None = None

    @property
    def is_finished(self) -> bool:
        """Whether its task is."""
        return self._ended is not None

    def samples_skipped(self, n: int) -> None:
        """Count samples that were finished before."""
        with self._lock:
            self._counts.skip(n)

    def sample_finished(self, result: SampleResult, *, n_under_way: int) -> None:
        """Count a sample."""
        with self._lock:
            self._counts.add(result, n_under_way)

    def task_finished(self, result: TaskResult, *, reused: bool) -> None:
        """Fill the bar."""
        with self._lock:
            self._ended = finished_text(result, self._counts, reused=reused)

    def as_html(self, openings: set[str]) -> str:
        """Write one row; called with the lock held."""
        counts = self._counts
        text = self._ended
        if text is None and self._model in openings and not counts.done:
            text = "opening the model ..."
        elif text is None:
            text = f"{counts.so_far()} · {counts.details()}"
        total = counts.total or counts.done or 1
        done = total if self._ended is not None else counts.done
        bar = f'<progress max="{total}" value="{min(done, total)}"></progress>'
        return (
            f'<tr><td style="text-align:left">{_escaped(counts.label)}</td><td>{bar}</td>'
            f'<td style="text-align:left">{_escaped(text)}</td></tr>'
        )


def _escaped(text: str) -> str:
    return html.escape(shown(text))
