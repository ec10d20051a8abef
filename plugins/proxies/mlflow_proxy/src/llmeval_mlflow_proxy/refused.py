"""What is not passed on, whoever asks, and why."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import parse_qsl

from llmeval_mlflow_proxy.body_rules import BodyRule, body_rule
from llmeval_mlflow_proxy.locations import ArtifactRoots, leaves_by

_API = r"(^|/)(ajax-)?api/[^/]+"
_ASSISTANT = re.compile(_API + r"/mlflow/assistant(?![\w-])")
_ADMINISTERED: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(_API + r"/mlflow/gateway/secrets(?![\w-])"),
        "keys of model providers are stored at the MLflow server itself, not through llmeval",
    ),
    (
        re.compile(
            _API + r"/(jobs|mlflow/(jobs|[\w/-]+/invoke|scorers/online-config"
            r"|prompt-optimization/jobs(?!/search)))(?![\w-])"
        ),
        "MLflow's jobs are started at the MLflow server itself, not through llmeval",
    ),
    (
        re.compile(_API + r"/mlflow/webhooks(?![\w-])"),
        "MLflow's webhooks are set at the MLflow server itself, not through llmeval",
    ),
    (
        re.compile(_API + r"/mlflow/workspaces(?![\w-])"),
        "MLflow's workspaces are set at the MLflow server itself, not through llmeval",
    ),
)
_READING = frozenset(("GET", "HEAD", "OPTIONS"))
_ARTIFACT_PATHS = frozenset(
    {"path", "artifactpath", "artifactfilepath", "artifactdirectorypath", "filepath"}
)


class Rules(Protocol):
    """Says what is not passed on to a server."""

    def refusal(self, method: str, path: str, query: str) -> str | None:
        """Say why a request is refused; None if it may pass.

        Args:
            method: GET, POST, ...
            path: as `plain_path` gives it.
            query: what follows the `?`, as it came.
        """

    def body_rule(self, method: str, path: str) -> BodyRule | None:
        """Return how the body is checked; None if it is passed on unread."""


@dataclass(frozen=True, slots=True)
class MlflowRules:
    """The rules for MLflow.

    The assistant is a shell on the server's machine for whoever MLflow takes to be local, and
    everybody who comes through a proxy is. Storing keys of model providers, starting jobs, and
    setting webhooks and workspaces are for whoever administers the MLflow server, at its own
    address. Nobody chooses a place for artifacts outside of the roots.

    Args:
        roots: where artifacts may lie, besides MLflow's own root.
    """

    roots: ArtifactRoots = field(default_factory=ArtifactRoots)

    def refusal(self, method: str, path: str, query: str) -> str | None:
        """Say why a request is refused; see `Rules`."""
        if _ASSISTANT.search(path):
            return "MLflow's assistant is not available through llmeval"
        if query and _leaves_by_query(query):
            return "the path of an artifact leads out of its folder"
        if method in _READING:
            return None
        return next((why for pattern, why in _ADMINISTERED if pattern.search(path)), None)

    def body_rule(self, method: str, path: str) -> BodyRule | None:
        """Return how the body is checked; see `Rules`."""
        return None if method in _READING else body_rule(path, self.roots)


@dataclass(frozen=True, slots=True)
class NoRules:
    """Pass everything: the rules for a server that is not MLflow."""

    def refusal(self, method: str, path: str, query: str) -> str | None:
        """Refuse nothing."""
        del method, path, query
        return None

    def body_rule(self, method: str, path: str) -> BodyRule | None:
        """Read nothing."""
        del method, path
        return None


def _leaves_by_query(query: str) -> bool:
    if "path" not in query.lower() and "%" not in query:
        return False
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="replace")
    except ValueError:
        return True
    return any(
        name.lower().replace("_", "").replace("-", "") in _ARTIFACT_PATHS and leaves_by(value)
        for name, value in pairs
    )
