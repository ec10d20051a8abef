"""Which state of a data set of the Hugging Face hub a task gets: as its cache, or itself, says."""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

from llmeval_lm_eval_tasks.lm_eval_library import source_text

_TIMEOUT_S = 5.0
_OFFLINE = ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE")
_TRUE = ("1", "true", "yes", "on")


class HubCommits:
    """Finds commits; each data set is asked for once, and no more after the hub was not reached.

    Args:
        environ: says where the hub and its caches are.
    """

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._environ = environ
        self._known: dict[tuple[str, str], list[str]] = {}
        self._is_away = any(environ.get(name, "").lower() in _TRUE for name in _OFFLINE)

    def of(self, name: str, revision: str) -> list[str]:
        """Return the commit of a data set; several if old caches do not say which; none if unknown.

        Before the first download the hub says it, so that a task is the same task afterwards.
        """
        key = name, revision
        if key not in self._known:
            self._known[key] = self.cached(name, revision) or self._asked(name, revision)
        return self._known[key]

    def cached(self, name: str, revision: str) -> list[str]:
        """Return what the caches of this machine have."""
        return sorted(set(self._cached(name, revision)))

    def _cached(self, name: str, revision: str) -> Iterator[str]:
        home = Path(self._environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface")
        hub = Path(self._environ.get("HF_HUB_CACHE") or home / "hub")
        folder = hub / f"datasets--{name.replace('/', '--')}"
        ref = source_text(folder / "refs" / revision).strip()
        if ref:
            yield ref
            return
        prepared = Path(self._environ.get("HF_DATASETS_CACHE") or home / "datasets")
        for path in (prepared / name.replace("/", "___")).glob("*/*/*"):
            if path.is_dir():
                yield path.name

    def _asked(self, name: str, revision: str) -> list[str]:
        if self._is_away:
            return []
        endpoint = self._environ.get("HF_ENDPOINT") or "https://huggingface.co"
        address = f"{endpoint}/api/datasets/{quote(name)}/revision/{quote(revision, safe='')}"
        token = self._environ.get("HF_TOKEN")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        request = urllib.request.Request(address, headers=headers)  # noqa: S310  the hub's
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310
                commit = json.load(answer)["sha"]
        except urllib.error.HTTPError:
            return []  # there is no such data set, or it is gated; loading it says so
        except (OSError, ValueError, KeyError, TypeError):
            self._is_away = True
            return []
        return [str(commit)]
