"""The languages of the pages: their texts, and the choice of a reader's language."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request

from llmeval_core.support import choose_language

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


def language_of(request: Request, languages: Mapping[str, Language]) -> Language:
    """Choose by `?lang=`, then by the cookie, then by the browser's preference."""
    code = choose_language(
        tuple(languages),
        request.query_params.get("lang"),
        request.cookies.get(COOKIE),
        accepted=request.headers.get("accept-language"),
    )
    return languages[code]
