"""Maps what MLflow's client raises to errors of ours, with what the user can do."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from llmeval_mlflow_tracker.mlflow_errors import MlflowError, public_uri
from llmeval_mlflow_tracker.retry_after import requested_wait_s

_SQL_ADVICE = re.compile(r"\s*(\((Background on this error|SQL:)|\(?\[SQL:).*", re.DOTALL)
_DAMAGED = re.compile(r"file is not a database|database disk image is malformed")
_BUSY = re.compile(r"too many (429|5\d\d|408) error responses|error code (429|5\d\d) != 200")
_DRIVER = re.compile(r"No module named '(psycopg2|psycopg|MySQLdb|pymysql|pyodbc)'")
DRIVERS = {"psycopg2": "psycopg2-binary", "psycopg": "psycopg[binary]", "MySQLdb": "mysqlclient"}
_UNTRUSTED = re.compile(r"certificate verify failed: ([^(]+?)\s*\(")
_NOT_TLS = re.compile(r"\[SSL: (WRONG_VERSION_NUMBER|RECORD_LAYER_FAILURE|HTTP_REQUEST)\]")
_NO_API = re.compile(r"failed with error code (3\d\d|404|405|501) != 200")  # MLflow says it in JSON
_REDIRECT = re.compile(r"a write is redirected (to \S+)|Exceeded \d+ redirects")
_MAX_MESSAGE = 240
_SHORT_SECRET = 4


def map_error(err: Exception, uri: str) -> MlflowError:
    """Return our error for whatever MLflow's client raised; `uri` is the tracking URI."""
    server = public_uri(uri)
    text = _without_login(str(err).replace(uri, server), urlsplit(uri).netloc.rpartition("@")[0])
    code = getattr(err, "error_code", "")
    return (
        _access_error(text, server, code)
        or _store_error(text, server)
        or _damage_error(text, server)
        or _tls_error(text, server)
        or _response_error(text, server)
        or _network_error(text, server, err)
        or _other_error(text or type(err).__name__, server, code)
    )


def _without_login(text: str, login: str) -> str:
    """Remove a login and its password; a very short one only where it is a whole word."""
    password = login.partition(":")[2]
    for secret in (login, password, unquote(password)):
        if len(secret) >= _SHORT_SECRET:
            text = text.replace(secret, "***")
        elif secret:
            text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", "***", text)
    return text


def _access_error(text: str, server: str, code: str) -> MlflowError | None:
    if "Invalid Host header" in text:
        host = urlsplit(server).netloc
        return MlflowError(
            "other",
            f"MLflow at {server} refuses requests for the host '{host}' (403)",
            hint=f"start it with MLFLOW_SERVER_ALLOWED_HOSTS={host},localhost:*,127.0.0.1:*",
        )
    if code in ("UNAUTHENTICATED", "CUSTOMER_UNAUTHORIZED") or "error code 401" in text:
        return MlflowError(
            "other",
            f"MLflow at {server} wants a login (401)",
            hint="set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, "
            "or MLFLOW_TRACKING_TOKEN",
        )
    if code == "PERMISSION_DENIED" or "error code 403" in text:
        return MlflowError("other", f"MLflow at {server} denies permission: {_one_line(text)}")
    return None


def _store_error(text: str, server: str) -> MlflowError | None:
    if "disk is full" in text or "No space left" in text or "could not extend file" in text:
        return MlflowError(
            "transient",
            f"the disk of MLflow at {server} is full",
            hint="free some space there; the result waits",
        )
    if missing := _DRIVER.search(text):
        return MlflowError(
            "other",
            f"MLflow needs the Python module '{missing.group(1)}' for {server}",
            hint=f"pip install {DRIVERS.get(missing.group(1), missing.group(1))}",
        )
    if "out-of-date database schema" in text:
        return MlflowError(
            "other",
            f"the database {server} was made by another version of MLflow",
            hint=f"back it up, then: mlflow db upgrade {server}",
        )
    if "MLFLOW_ALLOW_FILE_STORE" in text or "maintenance mode" in text:
        return MlflowError(
            "other",
            f"MLflow no longer writes to folders such as {server}",
            hint="leave tracking_uri out, or use sqlite:///mlflow.db or a server's URL",
        )
    if "not in a valid JSON format" in text:
        return MlflowError(
            "other",
            f"what answers at {server} is not MLflow's API",
            hint="check tracking_uri: it is the server's root, and a proxy may ask for a login",
        )
    return None


def _damage_error(text: str, server: str) -> MlflowError | None:
    if _DAMAGED.search(text):
        return MlflowError(
            "other",
            f"the database {server} is damaged, or is none of SQLite's",
            hint="put a backup in its place; or move it away, and `llmeval trackers copy mlflow`"
            " fills a new one",
        )
    return None


def _tls_error(text: str, server: str) -> MlflowError | None:
    if reason := _UNTRUSTED.search(text):
        return MlflowError(
            "other",
            f"MLflow at {server} has a certificate that is not trusted: {reason.group(1)}",
            hint="set MLFLOW_TRACKING_SERVER_CERT_PATH to the file with the certificate of who "
            "signed it",
        )
    if _NOT_TLS.search(text):
        return MlflowError(
            "other",
            f"MLflow at {server} does not speak https",
            hint="check tracking_uri: perhaps it begins with http://",
        )
    return None


def _response_error(text: str, server: str) -> MlflowError | None:
    if "an answer of more than" in text:
        size = text.partition("an answer of more than ")[2][:20]
        return MlflowError(
            "other",
            f"what answers at {server} is not MLflow's API: it sends more than {size}",
            hint="check tracking_uri: it is the server's root",
        )
    if page := _NO_API.search(text):
        return MlflowError(
            "other",
            f"what answers at {server} is not MLflow's API: a page with status {page.group(1)}",
            hint="check tracking_uri: it is the server's root",
        )
    if redirect := _REDIRECT.search(text):
        return MlflowError(
            "other",
            f"MLflow at {server} redirects {redirect.group(1) or 'again and again'}",
            hint="set tracking_uri to the address that it redirects to; or a proxy wants a login",
        )
    if "ProxyError" in text or "to proxy" in text:
        return MlflowError(
            "transient",
            f"MLflow at {server} cannot be reached through the proxy",
            hint="look at HTTP_PROXY and HTTPS_PROXY; NO_PROXY=HOST leaves a proxy out",
        )
    return None


def _network_error(text: str, server: str, err: Exception) -> MlflowError | None:
    if "timeout exception" in text or "timed out" in text:
        return MlflowError(
            "transient",
            f"MLflow at {server} does not answer in time",
            retry_after_s=requested_wait_s(err),
        )
    if "failed with exception" in text or type(err).__name__ in (
        "ConnectionError",
        "ConnectTimeout",
    ):
        if busy := _BUSY.search(text):
            number = busy.group(1) or busy.group(2)
            retry_after_s = requested_wait_s(err)
            suffix = "" if retry_after_s is None else f", and asks to wait {retry_after_s:g} s"
            return MlflowError(
                "transient",
                f"MLflow at {server} cannot take requests now ({number}{suffix})",
                retry_after_s=retry_after_s,
            )
        reason = "connection refused" if "refused" in text else "no connection"
        return MlflowError(
            "transient",
            f"MLflow at {server} cannot be reached: {reason}",
            hint="start it, or check tracking_uri",
        )
    return None


def _other_error(text: str, server: str, code: str) -> MlflowError:
    what = f"MLflow at {server}: {_one_line(text)}"
    if code == "RESOURCE_DOES_NOT_EXIST" or "must be in the 'active' state" in text:
        return MlflowError("gone", what)
    if "Changing param values is not allowed" in text:
        return MlflowError("conflict", what)
    if (
        _BUSY.search(text)
        or "database is locked" in text
        or code
        in (
            "TEMPORARILY_UNAVAILABLE",
            "REQUEST_LIMIT_EXCEEDED",
            "BAD_REQUEST",  # two inserts of one new key at once
        )
    ):
        return MlflowError("transient", what)
    return MlflowError("invalid" if code == "INVALID_PARAMETER_VALUE" else "other", what)


def _one_line(text: str) -> str:
    line = " ".join(_SQL_ADVICE.sub("", text).split())
    return line if len(line) <= _MAX_MESSAGE else f"{line[:_MAX_MESSAGE]}…"
