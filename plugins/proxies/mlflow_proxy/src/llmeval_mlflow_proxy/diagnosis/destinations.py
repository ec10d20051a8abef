"""The MLflow servers and experiments that jobs deliver to, by the trackers that runs have used."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from llmeval_core.hooks import ConfigError, Json, TrackerStatus
from llmeval_mlflow_proxy.embedded.backend_store import find_backend_store
from llmeval_mlflow_proxy.settings import MLFLOW_PREFIX, ProxySettings, upstream_of
from llmeval_mlflow_proxy.upstream import Upstream

USUAL_EXPERIMENT = "model_evaluation"
USUAL_TRACKER = "mlflow"
"""The tracker of a run file with `trackers: [mlflow]`."""
_PLUGIN = "mlflow"
_REFERENCE = re.compile(r"\$\{([^}]*)\}")
_LOGIN = re.compile(r"(?<=://)[^/@\s]+@")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Destination:
    """An experiment on an MLflow server, as the tracker of some run names it.

    Args:
        tracker: the tracker's name in the runs that used it.
        experiment: the experiment's name.
        place: which MLflow, for people; without a login. None for the one that is shown here.
        server: the server, if it is another one; None if it is not behind HTTP.
        n_delivered: results delivered to it; None if no run has used it.
        is_required: whether a run fails if it does not take a result.
    """

    tracker: str
    experiment: str
    place: str | None = None
    server: Upstream | None = None
    n_delivered: int | None = None
    is_required: bool = True

    @property
    def is_shown(self) -> bool:
        """Whether its MLflow is the one behind our proxy."""
        return self.place is None


USUAL = Destination(USUAL_TRACKER, USUAL_EXPERIMENT)
"""Where results go if no tracker is configured."""


def find_destinations(
    tracker_statuses: Sequence[TrackerStatus],
    settings: ProxySettings,
    home: Path,
    *,
    origin: str | None,
) -> list[Destination]:
    """Return where the MLflow trackers that were used deliver to; `USUAL` if none was.

    Args:
        tracker_statuses: of all trackers.
        settings: which MLflow is shown here, and the environment.
        home: the project's folder.
        origin: under which people see us; None if unknown.

    Returns:
        Those that are shown here first, then those that took a result most recently.
    """
    found: list[tuple[float, Destination]] = []
    for status in tracker_statuses:
        name, _, argument = str(status.config.get("use", "")).partition(":")
        if name != _PLUGIN:
            continue
        uri = _text(status.config, "tracking_uri") or argument or ""
        place, server = _place(uri, settings, home, origin)
        destination = Destination(
            status.tracker,
            _resolved(_text(status.config, "experiment"), settings.environ) or USUAL_EXPERIMENT,
            place=place,
            server=server,
            n_delivered=status.n_delivered,
            is_required=status.config.get("required") is not False,
        )
        found.append((status.delivered_at or 0.0, destination))
    found.sort(key=lambda pair: (not pair[1].is_shown, -pair[0]))
    return [destination for _, destination in found] or [USUAL]


def _place(
    written: str, settings: ProxySettings, home: Path, origin: str | None
) -> tuple[str | None, Upstream | None]:
    """Return the place and the server of a tracking URI; None, None for the MLflow shown here."""
    uri = _resolved(written, settings.environ).strip()
    if not uri:
        # The tracker then uses the same variable as our own settings.
        return (written, None) if written else (None, None)
    if not uri.startswith(("http://", "https://")):
        is_ours = settings.mlflow is None and _same_store(uri, settings.store, home)
        return (None, None) if is_ours else (_LOGIN.sub("", uri), None)
    shown = settings.mlflow.url if isinstance(settings.mlflow, Upstream) else None
    ours = f"{origin}{MLFLOW_PREFIX}" if origin else None
    if any(_address(uri) == _address(one) for one in (shown, ours) if one):
        return None, None
    try:
        server = upstream_of(_LOGIN.sub("", uri) if "***@" in uri else uri, settings.environ)
    except ConfigError:
        return _LOGIN.sub("", uri), None
    return server.url, server


def _same_store(uri: str, store: str | None, home: Path) -> bool:
    return find_backend_store(uri, home=home).uri == find_backend_store(store, home=home).uri


def _address(url: str) -> tuple[str, int | None, str] | None:
    """Return what tells servers apart: host, port and path of a URL."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return None
    return "loopback" if host in _LOOPBACK else host, port, parts.path.rstrip("/")


def _resolved(text: str, environ: Mapping[str, str]) -> str:
    """Replace references to environment variables; empty if one is not set here."""
    names = _REFERENCE.findall(text)
    if any(name not in environ for name in names):
        return ""
    return _REFERENCE.sub(lambda match: environ[match[1]], text)


def _text(config: Mapping[str, Json], key: str) -> str:
    value = config.get(key)
    return value if isinstance(value, str) else ""
