"""The settings, read from the environment when the hooks are called."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit

from llmeval_core.hooks import ConfigError, expand_path
from llmeval_mlflow_proxy.upstream import Unavailable, Upstream

MLFLOW_PREFIX = "/proxy-mlflow"
DIAGNOSIS_PREFIX = "/debug-mlflow"
_DATABASES = ("sqlite", "postgresql", "mysql", "mssql")
_PREFIX = re.compile(r"(/[A-Za-z0-9][A-Za-z0-9._-]*)+")
_ARTIFACT_ROOT = re.compile(r"([a-z][a-z0-9+-]*:/)?(/[^/\\?#;%]+)+")


@dataclass(frozen=True, slots=True)
class ProxySettings:
    """What the environment says.

    Args:
        mlflow: the MLflow server to show; None to start one.
        store: the database of the MLflow server to start; None for the project's own file.
        others: further servers to show, by prefix.
        allowed_origins: web origins besides our own that may send unsafe requests.
        secrets: texts that must never be shown.
        artifact_roots: where clients may store artifacts, besides MLflow's own root.
        environ: the environment itself, which the settings of trackers may refer to.
    """

    mlflow: Upstream | Unavailable | None
    store: str | None
    others: Mapping[str, Upstream]
    allowed_origins: frozenset[str]
    secrets: frozenset[str] = field(repr=False)
    artifact_roots: tuple[str, ...] = ()
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)


def read_settings(environ: Mapping[str, str]) -> ProxySettings:
    """Read the settings.

    Raises:
        ConfigError: a value cannot be understood; its secrets are not in the message.
    """
    uri = environ.get("MLFLOW_TRACKING_URI", "").strip()
    scheme = uri.partition(":")[0].partition("+")[0].lower()
    mlflow: Upstream | Unavailable | None = None
    if scheme in ("http", "https"):
        mlflow = _upstream(uri, environ, where="environment, MLFLOW_TRACKING_URI")
    elif uri and scheme not in _DATABASES:
        mlflow = Unavailable(
            "none",
            f"MLFLOW_TRACKING_URI is of the kind '{scheme}', which has no pages to show here",
            "set it to a server's URL or to sqlite:///FILE, or leave it out",
        )
    others = _others(environ.get("LLMEVAL_PROXIES", ""))
    return ProxySettings(
        mlflow=mlflow,
        store=uri if uri and mlflow is None else None,
        others=others,
        allowed_origins=_origins(environ.get("LLMEVAL_ALLOWED_ORIGINS", "")),
        secrets=_secrets(environ, uri, mlflow, *others.values()),
        artifact_roots=_artifact_roots(environ.get("LLMEVAL_MLFLOW_ARTIFACT_ROOTS", "")),
        environ=environ,
    )


def _others(value: str) -> dict[str, Upstream]:
    where = "environment, LLMEVAL_PROXIES"
    found: dict[str, Upstream] = {}
    for item in filter(None, map(str.strip, value.split(","))):
        prefix, equals, url = item.partition("=")
        if not equals or not _PREFIX.fullmatch(prefix):
            raise ConfigError(
                "an entry is not of the form /PREFIX=URL",
                where=where,
                hint="write for instance /proxy-aim=http://127.0.0.1:43800",
            )
        if prefix in found or prefix in (MLFLOW_PREFIX, DIAGNOSIS_PREFIX):
            raise ConfigError(f"the prefix {prefix} is taken", where=where, hint="choose another")
        found[prefix] = _upstream(url, {}, where=where)
    return found


def upstream_of(uri: str, environ: Mapping[str, str]) -> Upstream:
    """Return the MLflow server of a tracking URI, with the login that its clients would use.

    Raises:
        ConfigError: it is no URL of a server.
    """
    return _upstream(uri, environ, where="tracking_uri")


def _upstream(uri: str, environ: Mapping[str, str], *, where: str) -> Upstream:
    parts, port = _split(uri, where)
    name = parts.hostname or ""
    host = f"[{name}]" if ":" in name else name
    netloc = host if port is None else f"{host}:{port}"
    ca_file = environ.get("MLFLOW_TRACKING_SERVER_CERT_PATH")
    return Upstream(
        url=f"{parts.scheme}://{netloc}{parts.path.rstrip('/')}",
        host=netloc,
        authorization=_authorization(parts, environ),
        ca_file=expand_path(ca_file) if ca_file else None,
        verify_tls=environ.get("MLFLOW_TRACKING_INSECURE_TLS", "").lower() not in ("true", "1"),
    )


def _split(uri: str, where: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        parts, port = SplitResult("", "", "", "", ""), None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(
            "a server's URL cannot be understood",
            where=where,
            hint="write http://HOST:PORT, for instance http://127.0.0.1:5000",
        )
    if parts.query or parts.fragment:
        raise ConfigError(
            "a server's URL goes too far: it has a '?' or a '#'",
            where=where,
            hint=f"write {parts.scheme}://{parts.netloc.rpartition('@')[2]}",
        )
    return parts, port


def _authorization(parts: SplitResult, environ: Mapping[str, str]) -> str | None:
    """Return the header that MLflow's client would send; a login in the URL comes first."""
    user = environ.get("MLFLOW_TRACKING_USERNAME", "")
    password = environ.get("MLFLOW_TRACKING_PASSWORD", "")
    if parts.username is not None:
        user, password = unquote(parts.username), unquote(parts.password or "")
    if parts.username is not None or (user and password):
        return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
    token = environ.get("MLFLOW_TRACKING_TOKEN")
    return f"Bearer {token}" if token else None


def _origins(value: str) -> frozenset[str]:
    origins = frozenset(filter(None, (item.strip().rstrip("/") for item in value.split(","))))
    for origin in origins:
        parts = urlsplit(origin)
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.path:
            raise ConfigError(
                f"'{origin}' is not a web origin",
                where="environment, LLMEVAL_ALLOWED_ORIGINS",
                hint="write for instance https://llmeval.example",
            )
    return origins


def _artifact_roots(value: str) -> tuple[str, ...]:
    roots = tuple(filter(None, (item.strip().rstrip("/") for item in value.split(","))))
    for root in roots:
        if not _ARTIFACT_ROOT.fullmatch(root) or {".", ".."} & set(root.split("/")):
            raise ConfigError(
                f"'{root}' is not a place for artifacts",
                where="environment, LLMEVAL_MLFLOW_ARTIFACT_ROOTS",
                hint="write for instance s3://bucket/mlflow, or /srv/mlflow/artifacts",
            )
    return roots


def _secrets(
    environ: Mapping[str, str], uri: str, *upstreams: Upstream | Unavailable | None
) -> frozenset[str]:
    """Collect what must never be shown, in each form in which it may occur."""
    login = urlsplit(uri).netloc.rpartition("@")[0] if "@" in uri else ""
    passwords = {login.partition(":")[2], environ.get("MLFLOW_TRACKING_PASSWORD", "")}
    found = {login, environ.get("MLFLOW_TRACKING_TOKEN", ""), *passwords, *map(unquote, passwords)}
    for upstream in upstreams:
        if isinstance(upstream, Upstream) and upstream.authorization:
            found.add(upstream.authorization.partition(" ")[2])
    return frozenset(filter(None, found))
