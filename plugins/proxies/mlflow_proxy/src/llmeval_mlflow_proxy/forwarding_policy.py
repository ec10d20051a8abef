"""Which requests are not forwarded, whoever sends them, and why."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import parse_qsl

from llmeval_mlflow_proxy.artifact_roots import ArtifactRoots, leaves_folder
from llmeval_mlflow_proxy.body_checks import BodyCheck, body_check

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


class ForwardingPolicy(Protocol):
    """Decides what is forwarded to a server."""

    def refusal_reason(self, method: str, path: str, query: str) -> str | None:
        """Return why a request is refused; None if it is forwarded.

        Args:
            method: GET, POST, ...
            path: as `decoded_path` gives it.
            query: what follows the `?`, as it came.
        """

    def body_check(self, method: str, path: str) -> BodyCheck | None:
        """Return the check for a request's body; None if it is forwarded unread."""


@dataclass(frozen=True, slots=True)
class MlflowPolicy:
    """The policy for MLflow.

    The assistant is a shell on the server's machine for clients that MLflow takes for local, and it
    takes everybody who comes through a proxy for local. Keys of model providers, jobs, webhooks and
    workspaces are for the administrator of the MLflow server, at its own address. Nobody chooses a
    location for artifacts outside of the roots.

    Args:
        roots: where artifacts may be, besides MLflow's own root.
    """

    roots: ArtifactRoots = field(default_factory=ArtifactRoots)

    def refusal_reason(self, method: str, path: str, query: str) -> str | None:
        """Return why a request is refused; see `ForwardingPolicy`."""
        if _ASSISTANT.search(path):
            return "MLflow's assistant is not available through llmeval"
        if query and _leaves_folder_by_query(query):
            return "the path of an artifact leads out of its folder"
        if method in _READING:
            return None
        return next((why for pattern, why in _ADMINISTERED if pattern.search(path)), None)

    def body_check(self, method: str, path: str) -> BodyCheck | None:
        """Return the check for a body; see `ForwardingPolicy`."""
        return None if method in _READING else body_check(path, self.roots)


@dataclass(frozen=True, slots=True)
class AllowAllPolicy:
    """Forwards everything: the policy for a server that is not MLflow."""

    def refusal_reason(self, method: str, path: str, query: str) -> str | None:
        """Refuse nothing."""
        del method, path, query
        return None

    def body_check(self, method: str, path: str) -> BodyCheck | None:
        """Read nothing."""
        del method, path
        return None


def _leaves_folder_by_query(query: str) -> bool:
    if "path" not in query.lower() and "%" not in query:
        return False
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="replace")
    except ValueError:
        return True
    return any(
        name.lower().replace("_", "").replace("-", "") in _ARTIFACT_PATHS and leaves_folder(value)
        for name, value in pairs
    )
