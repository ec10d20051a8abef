"""Whether a text can be a tracking URI, known before anything is sent; and if not, what to write.

MLflow itself takes almost anything: `localhost:5000` is a scheme to it, `mlflow` a folder.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from importlib import metadata
from urllib.parse import SplitResult, urlsplit

from llmeval_core.hooks import ConfigError

DATABASES = ("sqlite", "postgresql", "mysql", "mssql")
_KNOWN = ("http", "https", "file", "databricks", *DATABASES)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):(//)?")
_HOST_FIRST = re.compile(
    r"/{0,2}(?:[^@/\s]*@)?(localhost|[\w-]+(\.[\w-]+)+|\[[0-9A-Fa-f:.]+\]|[\w.-]+(?=:\d))(:\d*)?(?=/|$)"
)
_REGISTRIES = ("uc", "databricks-uc")
_DATABASE_FILE = re.compile(r"(?i)\.(db|sqlite3?)$")
_NOT_IN_HOSTS = re.compile(r"[\s\"'<>\\^`{|}$,;()*&=+!]")
_API = re.compile(r"/(ajax-)?api(/\d.*)?/?$")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_HIGHEST_PORT = 65535


def read_address(text: str, *, where: str | None, environ: Mapping[str, str]) -> str:
    """Return a tracking URI without the spaces around it.

    Args:
        text: what the user wrote.
        where: where it stands, for errors; None if the caller knows.
        environ: where MLFLOW_ALLOW_FILE_STORE is looked up.

    Raises:
        ConfigError: it can be none; the hint says what to write.
    """
    return _AddressReader(text.strip(), where, environ).address()


class _AddressReader:
    """One text that should be a tracking URI."""

    def __init__(self, uri: str, where: str | None, environ: Mapping[str, str]) -> None:
        self._uri = uri
        self._where = where
        self._environ = environ

    def address(self) -> str:
        uri = self._uri
        if _CONTROL.search(uri):
            raise self._error("has a line break or another control character in it")
        if uri[0] in "\"'":
            raise self._error(
                "begins with a quotation mark", "write it without: an env file keeps quotes"
            )
        found = _SCHEME.match(uri)
        if found is None:
            return uri if uri == "databricks" else self._without_scheme()
        scheme = found[1].lower()
        return self._with_scheme(scheme, uri[found.end() :], has_slashes=bool(found[2]))

    def _with_scheme(self, scheme: str, rest: str, *, has_slashes: bool) -> str:
        base = scheme.partition("+")[0]
        address = self._uri
        if scheme in ("http", "https"):
            if not has_slashes:
                raise self._error(
                    "lacks the two slashes", f"write {scheme}://{_shown(rest.lstrip('/'))}"
                )
            address = self._server(scheme, rest)
        elif base in DATABASES:
            address = self._database(base, scheme, rest, has_slashes=has_slashes)
        elif scheme == "file":
            address = self._folder()
        elif has_slashes or scheme in ("unix", *_REGISTRIES):
            if scheme != "databricks":
                address = self._unknown(scheme, rest)
        else:  # HOST:PORT, C:\\folder
            address = self._without_scheme()
        return address

    def _server(self, scheme: str, rest: str) -> str:
        parts = self._split(f"{scheme}://{rest}")
        name, host = parts.netloc.rpartition("@")[2], parts.hostname or ""
        root = f"{scheme}://{name or 'HOST:5000'}{_API.sub('', parts.path).rstrip('/')}"
        write = f"write {root}"
        if rest.count("@") > parts.netloc.count("@"):
            raise self._error(
                "has a login that cannot be told from the rest",
                "in a password write # as %23, / as %2F, ? as %3F and @ as %40",
            )
        if re.search(r"\s", self._uri):
            raise self._error("has a space in it", f"write {re.sub(r'[ ]+', '', root)}")
        if host in ("http", "https") and parts.path.startswith("//"):
            raise self._error("has two schemes", f"write {host}:{_shown(parts.path)}")
        if "#" in rest or "?" in rest:
            raise self._error("is the address of a page, not of the server", write)
        if _API.search(parts.path):
            raise self._error("is the address of MLflow's API, not of the server", write)
        if not host or _NOT_IN_HOSTS.search(name) or not _is_host(host):
            raise self._error("has no host that there can be", "write http://HOST:PORT")
        if name.count(":") > 1 and "[" not in name:
            raise self._error(
                "has more than one colon after the host",
                "write http://HOST:PORT, and an IPv6 address in brackets: http://[::1]:5000",
            )
        try:
            has_port = parts.port != 0
        except ValueError:
            has_port = False
        if not has_port:
            raise self._error(
                "has no port that there can be", f"a port is a number from 1 to {_HIGHEST_PORT}"
            )
        return f"{scheme}://{rest}"

    def _split(self, uri: str) -> SplitResult:
        try:
            return urlsplit(uri)
        except ValueError as err:
            raise self._error("cannot be read as an address", "write http://HOST:PORT") from err

    def _database(self, base: str, scheme: str, rest: str, *, has_slashes: bool) -> str:
        if base == "sqlite":
            if not has_slashes or (rest and not rest.startswith("/")):
                raise self._error(
                    "lacks a slash", f"write {scheme}:///{rest or 'mlflow.db'}, with three slashes"
                )
            if rest == "/":
                raise self._error("names no file", "write sqlite:///mlflow.db")
            return f"{scheme}://{rest}"
        if not has_slashes or not rest.strip("/"):
            raise self._error("names no database", f"write {scheme}://USER:PASSWORD@HOST/DATABASE")
        return f"{scheme}://{rest}"

    def _folder(self) -> str:
        if self._environ.get("MLFLOW_ALLOW_FILE_STORE", "").lower() in ("true", "1"):
            return self._uri
        raise ConfigError(
            f"MLflow no longer writes to folders such as {_shown(self._uri)}",
            where=self._where,
            hint="leave tracking_uri out, or use sqlite:///mlflow.db or a server's URL",
        )

    def _without_scheme(self) -> str:
        uri = self._uri
        typo = re.match(r"(?i)(https?)[:;]?/+(.*)", uri)
        if typo:
            raise self._error("lacks the colon", f"write {typo[1].lower()}://{_shown(typo[2])}")
        if _DATABASE_FILE.search(uri):
            raise self._error("is a file, not an address", f"write sqlite:///{uri}")
        if uri in _REGISTRIES:
            return self._unknown(uri, "")
        if re.fullmatch(r":?\d{2,5}", uri):
            raise self._error("is a port only", f"write http://localhost:{uri.lstrip(':')}")
        if _HOST_FIRST.match(uri) and not uri.startswith(("./", "../")):
            host = uri.lstrip("/")
            raise self._error("has no scheme", f"write http://{_shown(host)}, or https://")
        if self._environ.get("MLFLOW_ALLOW_FILE_STORE", "").lower() in ("true", "1"):
            return uri
        raise self._error(
            "is a folder, not an address, and MLflow no longer writes to folders",
            "write http://HOST:PORT for a server or sqlite:///FILE for a file, or leave it out",
        )

    def _unknown(self, scheme: str, rest: str) -> str:
        if scheme in _REGISTRIES:
            raise self._error("is a registry of models, not a tracking server", "write databricks")
        if "unix" in scheme:
            raise self._error(
                "is a socket's file, and MLflow's client cannot speak to one",
                "let the server listen on a port, and write http://HOST:PORT",
            )
        if scheme in {point.name for point in metadata.entry_points(group="mlflow.tracking_store")}:
            return self._uri
        near = difflib.get_close_matches(scheme, [*_KNOWN, "postgres"], n=1)
        meant = "postgresql" if near == ["postgres"] else near[0] if near else None
        hint = f"write {meant}://{_shown(rest)}" if meant else f"known: {', '.join(_KNOWN)}"
        raise self._error(f"has a scheme that MLflow does not know, '{scheme}'", hint)

    def _error(self, what: str, hint: str | None = None) -> ConfigError:
        return ConfigError(
            f"the tracking URI '{_shown(self._uri)}' {what}", where=self._where, hint=hint
        )


def _is_host(host: str) -> bool:
    if ":" in host:  # an IPv6 address, which urlsplit has checked
        return True
    try:
        return bool(host.strip(".").encode("idna")) and not host.startswith(("-", "."))
    except UnicodeError:
        return False


def _shown(uri: str) -> str:
    """Return what people may read: without a login, wherever an odd address has it."""
    shown = re.sub(r"^([A-Za-z][\w+.-]*:/+|/*)?.*@", lambda found: found[1] or "", uri)
    return _CONTROL.sub(" ", shown)
