"""Checks what MLflow's own client reads from variables and files, before anything is sent.

MLflow is not imported here: a plan is made without it.
"""

from __future__ import annotations

import configparser
import importlib.util
import urllib.request
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit

from llmeval_core.hooks import ConfigError, TrackerError, expand_path, file_problem
from llmeval_mlflow_tracker.error_mapping import DRIVERS
from llmeval_mlflow_tracker.mlflow_errors import public_uri
from llmeval_mlflow_tracker.settings import MlflowSettings
from llmeval_mlflow_tracker.tracking_location import TrackingLocation

_NUMBERS = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": int,
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": int,
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": int,
    "MLFLOW_HTTP_REQUEST_BACKOFF_JITTER": float,
}
_AUTHORITIES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
_USUAL_DRIVER = {"postgresql": "psycopg2", "mysql": "mysqldb", "mssql": "pyodbc"}
_MODULES = {
    "psycopg2": "psycopg2",
    "psycopg": "psycopg",
    "mysqldb": "MySQLdb",
    "pymysql": "pymysql",
    "pyodbc": "pyodbc",
}
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def check_environment(
    location: TrackingLocation, settings: MlflowSettings, environ: Mapping[str, str]
) -> tuple[str, ...]:
    """Check whether MLflow's client could work; return what the user should know.

    Raises:
        ConfigError: variables contradict each other, or name what is not there.
        TrackerError: a library, a login or a place to write is missing.
    """
    if location.is_direct:
        _check_driver(location)
        if location.uri in ("sqlite://", "sqlite:///:memory:"):
            raise ConfigError(
                f"results in '{location.uri}' would be gone when the run ends",
                hint="write sqlite:///mlflow.db",
            )
        if settings.tracking_uri or environ.get("MLFLOW_TRACKING_URI"):
            _check_file(location)
    elif location.uri.startswith("databricks"):
        _check_databricks(location, environ)
    elif location.uri.startswith(("http://", "https://")):
        return (
            *_ignored_variables(settings, environ),
            *_http_notes(settings, environ),
            *_login_notes(environ, has_login=urlsplit(location.uri).username is not None),
            *_tls_notes(location, environ),
            *_proxy_notes(location),
        )
    return tuple(_ignored_variables(settings, environ))


def _ignored_variables(settings: MlflowSettings, environ: Mapping[str, str]) -> Iterator[str]:
    """Name the variables that are set and that the tracker ignores on purpose."""
    name = environ.get("MLFLOW_EXPERIMENT_NAME")
    if name != settings.experiment and "experiment" not in settings.model_fields_set:
        for variable in ("MLFLOW_EXPERIMENT_NAME", "MLFLOW_EXPERIMENT_ID"):
            if environ.get(variable):
                yield (
                    f"{variable} is not heeded: results go to the experiment "
                    f"'{settings.experiment}', unless the tracker's setting experiment says another"
                )
    if environ.get("MLFLOW_RUN_ID"):
        yield "MLFLOW_RUN_ID is not heeded: each model has one run of its own"


def _http_notes(settings: MlflowSettings, environ: Mapping[str, str]) -> Iterator[str]:
    for name, kind in _NUMBERS.items():
        text = environ.get(name)
        try:
            number = kind(text) if text is not None else None
        except ValueError:
            number = -1
        if number is not None and number < 0:
            raise ConfigError(
                f"'{text}' is no number that MLflow takes", where=name, hint=f"unset {name}"
            )
        if name == "MLFLOW_HTTP_REQUEST_TIMEOUT" and (number or 0) > settings.timeout_s:
            yield (
                f"{name}={text} is heeded up to the tracker's setting timeout_s, "
                f"{settings.timeout_s:g} s for a delivery in all"
            )


def _login_notes(environ: Mapping[str, str], *, has_login: bool) -> Iterator[str]:
    in_file = _credentials_file()
    user, password = (
        environ.get(f"MLFLOW_TRACKING_{name}") or in_file.get(f"mlflow_tracking_{name.lower()}")
        for name in ("USERNAME", "PASSWORD")
    )
    if not has_login and bool(user) != bool(password):
        has, lacks = ("USERNAME", "PASSWORD") if user else ("PASSWORD", "USERNAME")
        yield (
            f"MLFLOW_TRACKING_{has} is set and MLFLOW_TRACKING_{lacks} is not: MLflow's client "
            "sends neither"
        )
    if environ.get("MLFLOW_TRACKING_TOKEN") and (has_login or (user and password)):
        yield "MLFLOW_TRACKING_TOKEN is not sent: a user name and a password go before it"
    provider = environ.get("MLFLOW_TRACKING_AUTH", "")
    is_built_in = not provider or provider.startswith("kubernetes")
    if not is_built_in and not metadata.entry_points(group="mlflow.request_auth_provider"):
        raise ConfigError(
            f"there is no plugin of MLflow's that logs in as '{provider}'",
            where="MLFLOW_TRACKING_AUTH",
            hint="install the plugin, or unset the variable",
        )
    if _is_true(environ, "MLFLOW_TRACKING_AWS_SIGV4"):
        _require("requests_auth_aws_sigv4", "requests-auth-aws-sigv4", "MLFLOW_TRACKING_AWS_SIGV4")


def _credentials_file() -> Mapping[str, str]:
    """Read the login of `mlflow login`."""
    file = expand_path("~/.mlflow/credentials")
    reader = configparser.ConfigParser()
    try:
        reader.read(file, encoding="utf-8")
        return dict(reader["mlflow"]) if reader.has_section("mlflow") else {}
    except (configparser.Error, OSError, UnicodeDecodeError) as err:
        raise ConfigError(
            f"MLflow's file of logins cannot be read: {type(err).__name__}",
            where=str(file),
            hint="write [mlflow], and below it mlflow_tracking_username = ... and "
            "mlflow_tracking_password = ...",
        ) from err


def _tls_notes(location: TrackingLocation, environ: Mapping[str, str]) -> Iterator[str]:
    own = environ.get("MLFLOW_TRACKING_SERVER_CERT_PATH")
    is_insecure = _is_true(environ, "MLFLOW_TRACKING_INSECURE_TLS")
    if own and is_insecure:
        raise ConfigError(
            "certificates are not to be checked, and there is a file to check them with",
            where="MLFLOW_TRACKING_INSECURE_TLS, MLFLOW_TRACKING_SERVER_CERT_PATH",
            hint="unset one of them",
        )
    names = ["MLFLOW_TRACKING_SERVER_CERT_PATH", "MLFLOW_TRACKING_CLIENT_CERT_PATH"]
    if location.uri.startswith("https://") and not own and not is_insecure:
        names += [name for name in _AUTHORITIES if environ.get(name)][:1]
    for name in names:
        text = environ.get(name)
        if text and not _exists(expand_path(text)):
            raise ConfigError(
                f"there is no file '{expand_path(text)}'",
                where=name,
                hint="name a file with certificates, or unset the variable",
            )
    if is_insecure:
        yield "MLFLOW_TRACKING_INSECURE_TLS: the server's certificate is not checked"


def _proxy_notes(location: TrackingLocation) -> Iterator[str]:
    parts = urlsplit(location.uri)
    host = parts.hostname or ""
    has_proxy = parts.scheme in urllib.request.getproxies() and not urllib.request.proxy_bypass(
        host
    )
    if host in _LOOPBACK and has_proxy:
        yield (
            f"requests to {public_uri(location.uri)} go through the proxy of "
            f"{parts.scheme.upper()}_PROXY; NO_PROXY={host} leaves it out"
        )


def _check_driver(location: TrackingLocation) -> None:
    base, _, driver = urlsplit(location.uri).scheme.partition("+")
    module = _MODULES.get(driver or _USUAL_DRIVER.get(base, ""))
    if module is not None:
        _require(module, DRIVERS.get(module, module), public_uri(location.uri))


def _check_file(location: TrackingLocation) -> None:
    if location.database is not None and file_problem(location.database):
        raise TrackerError(
            f"cannot write to {location.database}",
            hint="make it writable, or set tracking_uri to another place",
        )


def _check_databricks(location: TrackingLocation, environ: Mapping[str, str]) -> None:
    profile = location.uri.removeprefix("databricks").removeprefix("://")
    file = expand_path(environ.get("DATABRICKS_CONFIG_FILE") or "~/.databrickscfg")
    if not (environ.get("DATABRICKS_HOST") and not profile) and not _exists(file):
        raise TrackerError(
            f"there is no login to Databricks: DATABRICKS_HOST is not set, and no file {file}",
            hint="export DATABRICKS_HOST and DATABRICKS_TOKEN, or give the command "
            "`databricks configure`",
        )


def _require(module: str, package: str, why: str) -> None:
    if importlib.util.find_spec(module) is None:
        raise TrackerError(
            f"MLflow needs the Python module '{module}' for {why}", hint=f"pip install {package}"
        )


def _is_true(environ: Mapping[str, str], name: str) -> bool:
    return environ.get(name, "").strip().lower() in ("true", "1")


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False
