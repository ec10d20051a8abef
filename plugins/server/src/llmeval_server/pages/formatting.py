"""Numbers, times and foreign texts as the pages show them."""

from __future__ import annotations

from datetime import UTC, datetime

from markupsafe import Markup, escape

from llmeval_core.api import BoundedCount, shown_parts
from llmeval_server.pages.languages import Language


def number(value: int | None) -> str:
    """Write `1,234`; an en dash for what is not known."""
    return "–" if value is None else f"{value:,}"


def count(value: BoundedCount) -> str:
    """Write `10,000+` if there are more."""
    return f"{value.n:,}+" if value.is_lower_bound else f"{value.n:,}"


def score(value: float | None) -> str:
    """Write three digits after the point; an en dash for none."""
    return "–" if value is None else f"{value:.3f}"


def rate(value: float) -> str:
    """Write a rate with two digits that mean something: `0.42`, `4.2`, `42`."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def duration(seconds: float, language: Language) -> str:
    """Write `8 s`, `3 min 20 s` or `2 h 05 min`."""
    whole = max(0, round(seconds))
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    if hours:
        return language.text("time.hours", h=hours, m=f"{minutes:02}")
    if minutes:
        return language.text("time.minutes", m=minutes, s=f"{rest:02}")
    return language.text("time.seconds", s=rest)


def moment(seconds: float) -> Markup:
    """Write a time of day in UTC; the browser's script makes it local."""
    at = datetime.fromtimestamp(seconds, UTC)
    return Markup('<time datetime="{}">{} UTC</time>').format(
        at.isoformat(timespec="seconds"), at.strftime("%Y-%m-%d %H:%M")
    )


def minute(seconds: float) -> str:
    """Write a time in UTC as plain text, for sentences."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"


def foreign(text: object, most: int | None = None) -> Markup:
    """Show a text of a model or a data set: escaped, its control characters written out.

    Args:
        text: the text.
        most: characters to show; an ellipsis stands for the rest.
    """
    whole = str(text)
    shown = whole if most is None or len(whole) <= most else whole[:most] + "…"
    return Markup("").join(
        Markup('<span class="control">{}</span>').format(part) if is_control else escape(part)
        for part, is_control in shown_parts(shown)
    )
