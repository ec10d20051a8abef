"""What the hub's own client takes from the environment, and what its errors mean then."""

from __future__ import annotations

import os
from collections.abc import Mapping, MutableMapping

from llmeval_core.hooks import expand_path

_PATHS = ("HF_HOME", "HF_HUB_CACHE", "HF_DATASETS_CACHE", "HF_MODULES_CACHE", "HF_TOKEN_PATH")
_OFFLINE = ("HF_DATASETS_OFFLINE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
_TRUE = ("1", "true", "yes", "on")


def expand_hub_paths(environ: MutableMapping[str, str] = os.environ) -> None:
    """Expand `~` and `$NAME` in the client's paths, of which it expands some; before its import."""
    for name in _PATHS:
        if environ.get(name):
            environ[name] = str(expand_path(environ[name]))


def hint_of(err: Exception, environ: Mapping[str, str] = os.environ) -> str:
    """Say what to try after an error of the client's."""
    text = f"{type(err).__name__} {err}"
    offline = [name for name in _OFFLINE if environ.get(name, "").strip().lower() in _TRUE]
    if offline and ("ffline" in text or "Couldn't" in text or "not found" in text.lower()):
        cache = environ.get("HF_DATASETS_CACHE") or environ.get("HF_HOME") or "~/.cache/huggingface"
        return f"{offline[0]} is set, so only what lies in {cache} is there; unset it to fetch once"
    if any(mark in text for mark in ("401", "403", "gated", "restricted", "Unauthorized")):
        return "set HF_TOKEN, or give `hf auth login`; a gated data set's terms are on its page"
    if "CERTIFICATE_VERIFY_FAILED" in text or "certificate verify failed" in text:
        more = ""
        if environ.get("REQUESTS_CA_BUNDLE") and not environ.get("SSL_CERT_FILE"):
            more = "; REQUESTS_CA_BUNDLE is not heeded by the hub's client"
        return f"set SSL_CERT_FILE to the file with the certificate of who signed it{more}"
    return "check name, configuration and split, and the network"
