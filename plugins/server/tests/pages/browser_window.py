"""A window of a real browser, and what goes wrong in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Page

SCREENSHOTS = Path(__file__).parents[4] / "build" / "screenshots"
PATIENCE_MS = 60_000
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


@dataclass(slots=True)
class BrowserWindow:
    """A browser's window at the server; takes note of everything that goes wrong in it."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Take note from now on."""
        self.page.set_default_timeout(PATIENCE_MS)
        self.page.on("console", lambda said: self._hear(said.type, said.text))
        self.page.on("pageerror", lambda err: self._hear("error", str(err)))

    def _hear(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") or "Content Security Policy" in text:
            self.complaints.append(f"{kind}: {text}")

    def shoot(self, name: str) -> None:
        """Keep a screenshot, and check that nothing sticks out at the side."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"pages-{name}.png")
        sticks_out = "document.documentElement.scrollWidth > window.innerWidth"
        assert not self.page.evaluate(sticks_out), f"{name} is wider than the window"
