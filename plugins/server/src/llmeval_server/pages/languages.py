"""The languages of the pages: their texts, and the choice of a reader's language."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request

DEFAULT = "en"
COOKIE = "llmeval_language"
_FOLDER = Path(__file__).parent / "translations"


@dataclass(frozen=True, slots=True)
class Language:
    """A language's code, and its texts by key."""

    code: str
    texts: Mapping[str, str]

    def text(self, key: str, **values: object) -> str:
        """Return a text with values for its `{name}` placeholders.

        Raises:
            KeyError: there is no such text.
        """
        return self.texts[key].format(**values)


def load_languages() -> dict[str, Language]:
    """Load the files `translations/CODE.json`, the default language first."""
    found = {
        path.stem: Language(path.stem, json.loads(path.read_text(encoding="utf-8")))
        for path in sorted(_FOLDER.glob("*.json"))
    }
    return {DEFAULT: found.pop(DEFAULT), **found}


def choose_language(request: Request, languages: Mapping[str, Language]) -> Language:
    """Choose by `?lang=`, then by the cookie, then by the browser's preference."""
    wanted = [request.query_params.get("lang", ""), request.cookies.get(COOKIE, "")]
    wanted += _accepted(request.headers.get("accept-language", ""))
    return languages[next((code for code in wanted if code in languages), DEFAULT)]


def _accepted(header: str) -> list[str]:
    """List the languages of an Accept-Language header without regions, preferred first."""
    weighed: list[tuple[float, str]] = []
    for part in header.split(","):
        code, _, parameter = part.partition(";")
        try:
            weight = float(parameter.strip().removeprefix("q=") or 1)
        except ValueError:
            weight = 0.0
        weighed.append((weight, code.strip().partition("-")[0].lower()))
    return [code for weight, code in sorted(weighed, key=lambda item: -item[0]) if weight > 0]
