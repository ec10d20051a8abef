"""What is not passed on to MLflow, whoever asks, and why."""

from __future__ import annotations

import re

_API = r"(^|/)(ajax-)?api/[^/]+"
_ASSISTANT = re.compile(_API + r"/mlflow/assistant(?![\w-])")
_SECRETS = re.compile(_API + r"/mlflow/gateway/secrets(?![\w-])")
_JOBS = re.compile(_API + r"/jobs(?![\w-])")
_READING = frozenset(("GET", "HEAD", "OPTIONS"))


def refused_by_mlflow_rules(method: str, path: str) -> str | None:
    """Say why a request is refused; None if it may pass.

    The assistant is a shell on the server's machine for whoever MLflow takes to be local, and
    everybody who comes through a proxy is. Storing keys of model providers and starting jobs
    are for whoever administers the MLflow server, at its own address.

    Args:
        method: GET, POST, ...
        path: as `plain_path` gives it.
    """
    if _ASSISTANT.search(path):
        return "MLflow's assistant is not available through llmeval"
    if method in _READING:
        return None
    if _SECRETS.search(path):
        return "keys of model providers are stored at the MLflow server itself, not through llmeval"
    if _JOBS.search(path):
        return "MLflow's jobs are started at the MLflow server itself, not through llmeval"
    return None


def nothing_refused(method: str, path: str) -> str | None:
    """Pass everything: the rules for a server that is not MLflow."""
    del method, path
    return None
