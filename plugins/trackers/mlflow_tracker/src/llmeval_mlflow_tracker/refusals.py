"""What MLflow's errors mean: what the tracker does next, and what the user is told."""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import unquote, urlsplit, urlunsplit

from llmeval_core.hooks import TrackerError
from llmeval_mlflow_tracker.retry_after import asked_pause_s

RefusalKind = Literal["transient", "gone", "conflict", "invalid", "other"]
"""`transient`: the same call may succeed in a moment; `gone`: the run or the experiment is
deleted; `conflict`: a write-once param has another value; `invalid`: MLflow will never take
this value."""

_SQL_ADVICE = re.compile(r"\s*\((Background on this error|SQL:|\[SQL:).*", re.DOTALL)
_BUSY = re.compile(r"too many (429|5\d\d|408) error responses|error code (429|5\d\d) != 200")
_DRIVER = re.compile(r"No module named '(psycopg2|psycopg|MySQLdb|pymysql|pyodbc)'")
DRIVERS = {"psycopg2": "psycopg2-binary", "psycopg": "psycopg[binary]", "MySQLdb": "mysqlclient"}
_UNTRUSTED = re.compile(r"certificate verify failed: ([^(]+?)\s*\(")
_NOT_TLS = re.compile(r"\[SSL: (WRONG_VERSION_NUMBER|RECORD_LAYER_FAILURE|HTTP_REQUEST)\]")
_NO_API = re.compile(r"failed with error code (3\d\d|404|405|501) != 200")  # MLflow says it in JSON
_REDIRECT = re.compile(r"a write is redirected (to \S+)|Exceeded \d+ redirects")
_MAX_MESSAGE = 240
_SHORT = 4


class RefusedError(TrackerError):
    """A call that MLflow refused, or that did not reach it.

    Args:
        kind: what the tracker can do about it.
        retry_after_s: how long MLflow asks us to wait, seconds; None if it did not say.
    """

    def __init__(
        self,
        kind: RefusalKind,
        what: str,
        *,
        where: str | None = None,
        hint: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(
            what, where=where, hint=hint, permanent=kind == "invalid", retry_after_s=retry_after_s
        )
        self.kind: RefusalKind = kind


def public_uri(uri: str) -> str:
    """Return a tracking URI without user name and password."""
    if "@" not in uri:
        return uri
    parts = urlsplit(uri)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def refusal(err: Exception, uri: str) -> RefusedError:
    """Translate whatever MLflow's client raised; `uri` is the tracking URI."""
    place = public_uri(uri)
    text = _without_login(str(err).replace(uri, place), urlsplit(uri).netloc.rpartition("@")[0])
    code = getattr(err, "error_code", "")
    return (
        _access(text, place, code)
        or _store(text, place)
        or _encryption(text, place)
        or _bounded(text, place)
        or _network(text, place, err)
        or _plain(text or type(err).__name__, place, code)
    )


def _without_login(text: str, login: str) -> str:
    """Take `user:password` and the password out; a very short one only where it is a word."""
    password = login.partition(":")[2]
    for secret in (login, password, unquote(password)):
        if len(secret) >= _SHORT:
            text = text.replace(secret, "***")
        elif secret:
            text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", "***", text)
    return text


def _access(text: str, place: str, code: str) -> RefusedError | None:
    if "Invalid Host header" in text:
        host = urlsplit(place).netloc
        return RefusedError(
            "other",
            f"MLflow at {place} refuses requests for the host '{host}' (403)",
            hint=f"start it with MLFLOW_SERVER_ALLOWED_HOSTS={host},localhost:*,127.0.0.1:*",
        )
    if code in ("UNAUTHENTICATED", "CUSTOMER_UNAUTHORIZED") or "error code 401" in text:
        return RefusedError(
            "other",
            f"MLflow at {place} wants a login (401)",
            hint="set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, "
            "or MLFLOW_TRACKING_TOKEN",
        )
    if code == "PERMISSION_DENIED" or "error code 403" in text:
        return RefusedError("other", f"MLflow at {place} denies permission: {_line(text)}")
    return None


def _store(text: str, place: str) -> RefusedError | None:
    if "disk is full" in text or "No space left" in text or "could not extend file" in text:
        return RefusedError(
            "transient",
            f"the disk of MLflow at {place} is full",
            hint="free some space there; the result waits",
        )
    if missing := _DRIVER.search(text):
        return RefusedError(
            "other",
            f"MLflow needs the Python module '{missing.group(1)}' for {place}",
            hint=f"pip install {DRIVERS.get(missing.group(1), missing.group(1))}",
        )
    if "out-of-date database schema" in text:
        return RefusedError(
            "other",
            f"the database {place} was made by another version of MLflow",
            hint=f"back it up, then: mlflow db upgrade {place}",
        )
    if "MLFLOW_ALLOW_FILE_STORE" in text or "maintenance mode" in text:
        return RefusedError(
            "other",
            f"MLflow no longer writes to folders such as {place}",
            hint="leave tracking_uri out, or use sqlite:///mlflow.db or a server's URL",
        )
    if "not in a valid JSON format" in text:
        return RefusedError(
            "other",
            f"what answers at {place} is not MLflow's API",
            hint="check tracking_uri: it is the server's root, and a proxy may ask for a login",
        )
    return None


def _encryption(text: str, place: str) -> RefusedError | None:
    if reason := _UNTRUSTED.search(text):
        return RefusedError(
            "other",
            f"MLflow at {place} has a certificate that is not trusted: {reason.group(1)}",
            hint="set MLFLOW_TRACKING_SERVER_CERT_PATH to the file with the certificate of who "
            "signed it",
        )
    if _NOT_TLS.search(text):
        return RefusedError(
            "other",
            f"MLflow at {place} does not speak https",
            hint="check tracking_uri: perhaps it begins with http://",
        )
    return None


def _bounded(text: str, place: str) -> RefusedError | None:
    if "an answer of more than" in text:
        size = text.partition("an answer of more than ")[2][:20]
        return RefusedError(
            "other",
            f"what answers at {place} is not MLflow's API: it sends more than {size}",
            hint="check tracking_uri: it is the server's root",
        )
    if page := _NO_API.search(text):
        return RefusedError(
            "other",
            f"what answers at {place} is not MLflow's API: a page with status {page.group(1)}",
            hint="check tracking_uri: it is the server's root",
        )
    if redirect := _REDIRECT.search(text):
        return RefusedError(
            "other",
            f"MLflow at {place} redirects {redirect.group(1) or 'again and again'}",
            hint="set tracking_uri to the address that it redirects to; or a proxy wants a login",
        )
    if "ProxyError" in text or "to proxy" in text:
        return RefusedError(
            "transient",
            f"MLflow at {place} cannot be reached through the proxy",
            hint="look at HTTP_PROXY and HTTPS_PROXY; NO_PROXY=HOST leaves a proxy out",
        )
    return None


def _network(text: str, place: str, err: Exception) -> RefusedError | None:
    if "timeout exception" in text or "timed out" in text:
        return RefusedError(
            "transient",
            f"MLflow at {place} does not answer in time",
            retry_after_s=asked_pause_s(err),
        )
    if "failed with exception" in text or type(err).__name__ in (
        "ConnectionError",
        "ConnectTimeout",
    ):
        if busy := _BUSY.search(text):
            number = busy.group(1) or busy.group(2)
            asked_s = asked_pause_s(err)
            wish = "" if asked_s is None else f", and asks to wait {asked_s:g} s"
            return RefusedError(
                "transient",
                f"MLflow at {place} cannot take requests now ({number}{wish})",
                retry_after_s=asked_s,
            )
        reason = "connection refused" if "refused" in text else "no connection"
        return RefusedError(
            "transient",
            f"MLflow at {place} cannot be reached: {reason}",
            hint="start it, or check tracking_uri",
        )
    return None


def _plain(text: str, place: str, code: str) -> RefusedError:
    what = f"MLflow at {place}: {_line(text)}"
    if code == "RESOURCE_DOES_NOT_EXIST" or "must be in the 'active' state" in text:
        return RefusedError("gone", what)
    if "Changing param values is not allowed" in text:
        return RefusedError("conflict", what)
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
        return RefusedError("transient", what)
    return RefusedError("invalid" if code == "INVALID_PARAMETER_VALUE" else "other", what)


def _line(text: str) -> str:
    line = " ".join(_SQL_ADVICE.sub("", text).split())
    return line if len(line) <= _MAX_MESSAGE else f"{line[:_MAX_MESSAGE]}…"
