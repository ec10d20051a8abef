"""What people are shown once a run, however many requests it concerns."""

from __future__ import annotations

from collections.abc import Callable


class OneTimeMessages:
    """Shows each message once.

    Args:
        show: shows one line.
    """

    def __init__(self, show: Callable[[str], None]) -> None:
        self._show = show
        self._shown: set[tuple[str, str]] = set()

    def not_sent(self, model: str, names: tuple[str, ...]) -> None:
        """Say that a model refuses generation settings, which are therefore left out."""
        for name in names:
            self.once(model, f"the model refuses {name}; it is not sent")

    def once(self, model: str, text: str) -> None:
        """Say something of a model, unless it was said."""
        if (model, text) not in self._shown:
            self._shown.add((model, text))
            self._show(f"{model}: {text}")
