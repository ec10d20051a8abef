"""Formats numbers, times and untrusted texts for the pages."""

from __future__ import annotations

from datetime import UTC, datetime

from markupsafe import Markup, escape

from llmeval_core.api import BoundedCount, shown_parts
from llmeval_server.pages.page_languages import Language


def number(value: int | None) -> str:
    """Format as `1,234`; an en dash if unknown."""
    return "–" if value is None else f"{value:,}"


def count(value: BoundedCount) -> str:
    """Format as `1,234`, or as `10,000+` if there are more."""
    return f"{value.n:,}+" if value.is_lower_bound else f"{value.n:,}"


def score(value: float | None) -> str:
    """Format with three decimals; an en dash for None."""
    return "–" if value is None else f"{value:.3f}"


def rate(value: float) -> str:
    """Format a rate with two significant digits: `0.42`, `4.2`, `42`."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def duration(seconds: float, language: Language) -> str:
    """Format as `8 s`, `3 min 20 s` or `2 h 05 min`."""
    whole = max(0, round(seconds))
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    if hours:
        return language.text("time.hours", h=hours, m=f"{minutes:02}")
    if minutes:
        return language.text("time.minutes", m=minutes, s=f"{rest:02}")
    return language.text("time.seconds", s=rest)


def moment(seconds: float) -> Markup:
    """Format a point in time in UTC; the browser's script converts it to local time."""
    at = datetime.fromtimestamp(seconds, UTC)
    return Markup('<time datetime="{}">{} UTC</time>').format(
        at.isoformat(timespec="seconds"), at.strftime("%Y-%m-%d %H:%M")
    )


def minute(seconds: float) -> str:
    """Format a point in time in UTC as plain text, for sentences."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"


def foreign(text: object, most: int | None = None) -> Markup:
    """Format an untrusted text: escaped, with visible control characters.

    Args:
        text: the text of a model or a data set.
        most: the number of characters to show; an ellipsis replaces the rest.
    """
    whole = str(text)
    shown = whole if most is None or len(whole) <= most else whole[:most] + "…"
    return Markup("").join(
        Markup('<span class="control">{}</span>').format(part) if is_control else escape(part)
        for part, is_control in shown_parts(shown)
    )
