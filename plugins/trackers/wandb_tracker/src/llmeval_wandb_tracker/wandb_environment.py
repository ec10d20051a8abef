"""What W&B's own client reads: variables, its settings files, ~/.netrc.

wandb is not imported here: a plan is made without it. The run file wins over variables, those over
the settings file of the folder, that over the user's.
"""

from __future__ import annotations

import configparser
import contextlib
import netrc
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from llmeval_core.hooks import ConfigError, TrackerError, expand_path
from llmeval_wandb_tracker.settings import WandbSettings

_DEFAULT_URL = "https://api.wandb.ai"
_MODES = {
    "online": "online",
    "run": "online",
    "offline": "offline",
    "dryrun": "offline",
    "disabled": "disabled",
}
_SHORTEST_KEY = 40
_JSON_WEB_TOKEN = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+")
_IGNORED = {
    "WANDB_RUN_ID": "a model has one run, whose id follows from its name",
    "WANDB_NAME": "a run is called like its model",
    "WANDB_RESUME": "a model's run is always gone on with",
}


def effective_settings(settings: WandbSettings, environ: Mapping[str, str]) -> WandbSettings:
    """Fill what the settings leave out with what W&B's client would use.

    Raises:
        ConfigError: WANDB_MODE, or `mode` in a settings file, is not a mode of W&B's.
    """
    files, given = _settings_files(environ), settings.model_fields_set
    found: dict[str, Any] = {}  # Any: each setting has a type of its own
    if "mode" not in given:
        found["mode"] = _mode(environ, files)
    for name in ("project", "entity"):
        text = _variable(environ, f"WANDB_{name.upper()}") or files.get(name)
        if name not in given and text:
            found[name] = text
    folder = _variable(environ, "WANDB_DIR")
    if "directory" not in given and folder:
        found["directory"] = expand_path(folder)
    return settings.model_copy(update=found)


def base_url(environ: Mapping[str, str]) -> str:
    """Return the address of W&B's server.

    Raises:
        ConfigError: it is no address.
    """
    url = _variable(environ, "WANDB_BASE_URL") or _settings_files(environ).get("base_url")
    if not url:
        return _DEFAULT_URL
    try:
        parts = urlsplit(url)
        is_one = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_one = False
    if not is_one or re.search(r"\s", url) or "#" in url or "?" in url:
        raise ConfigError(
            f"'{_public(url)}' is no address of a Weights & Biases server",
            where="WANDB_BASE_URL",
            hint="write https://HOST or http://HOST:PORT, and nothing behind it",
        )
    return url.rstrip("/")


def check_key(environ: Mapping[str, str]) -> None:
    """Check that there is a key where W&B looks for it, and that it can be one.

    Raises:
        ConfigError: as `base_url`.
        TrackerError: there is none, or only a part of one.
    """
    netloc = urlsplit(base_url(environ)).netloc.rpartition("@")[2]
    key = _variable(environ, "WANDB_API_KEY")
    if key is not None:
        secret = key.partition("-")[2] or key
        if not _JSON_WEB_TOKEN.fullmatch(key) and len(secret) < _SHORTEST_KEY:
            raise TrackerError(
                f"WANDB_API_KEY is no key of Weights & Biases: it has {len(secret)} characters,"
                f" and a key has {_SHORTEST_KEY} or more",
                hint="copy it as a whole from https://wandb.ai/authorize",
            )
        return
    if _variable(environ, "WANDB_IDENTITY_TOKEN_FILE") or _settings_files(environ).get("api_key"):
        return
    if not has_netrc_login(environ, netloc):
        raise missing_key_error()


def missing_key_error() -> TrackerError:
    """Return the error for a missing key."""
    return TrackerError(
        "Weights & Biases has no API key",
        hint="run `wandb login`, set WANDB_API_KEY, or use the setting `mode: offline`",
    )


def ignored_variables(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Name the variables that are set and that this tracker ignores on purpose."""
    return tuple(
        f"{name} is not heeded: {why}" for name, why in _IGNORED.items() if _variable(environ, name)
    )


def worker_environment(settings: WandbSettings, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment in which W&B's client works.

    Spaces around values are cut, and `~` is expanded: an env file keeps both. W&B's service is not
    written in Python; it gets the certificates that Python's HTTP clients trust.
    """
    # A service that is shared with others would keep the runs of a worker that died.
    found = {name: value for name, value in environ.items() if name != "WANDB_SERVICE"}
    for name, value in found.items():
        if name.startswith("WANDB_"):
            found[name] = value.strip()
    found["WANDB_MODE"] = settings.mode
    for name in ("WANDB_DIR", "WANDB_CACHE_DIR", "WANDB_CONFIG_DIR", "WANDB_DATA_DIR", "NETRC"):
        if found.get(name):
            found[name] = str(expand_path(found[name]))
    authorities = found.get("REQUESTS_CA_BUNDLE") or found.get("CURL_CA_BUNDLE")
    if authorities and not found.get("SSL_CERT_FILE"):
        found["SSL_CERT_FILE"] = str(expand_path(authorities))
    return found


def _netrc_files(environ: Mapping[str, str]) -> Iterator[Path]:
    if environ.get("NETRC"):
        yield expand_path(environ["NETRC"])
    yield from (Path.home() / ".netrc", Path.home() / "_netrc")


def has_netrc_login(environ: Mapping[str, str], netloc: str) -> bool:
    """Whether a netrc file has a login for this host, or host and port."""
    host = netloc.partition(":")[0]
    for file in _netrc_files(environ):
        with contextlib.suppress(OSError, netrc.NetrcParseError):
            logins = netrc.netrc(file)
            if logins.authenticators(netloc) or logins.authenticators(host):
                return True
    return False


def _mode(environ: Mapping[str, str], files: Mapping[str, str]) -> str:
    said, where = _variable(environ, "WANDB_MODE"), "WANDB_MODE"
    if said is None:
        said, where = files.get("mode", "online"), "W&B's settings file"
    mode = _MODES.get(said.lower())
    if mode is None:
        raise ConfigError(
            f"'{said}' is no mode in which this tracker can work",
            where=where,
            hint=f"known: {', '.join(_MODES)}",
        )
    return mode


def _settings_files(environ: Mapping[str, str]) -> dict[str, str]:
    """Read what `wandb offline`, `wandb login --host` and `wandb init` have written."""
    own = expand_path(environ.get("WANDB_CONFIG_DIR") or "~/.config/wandb")
    here = expand_path(environ.get("WANDB_DIR") or ".") / "wandb"
    found: dict[str, str] = {}
    for folder in (own, here):
        reader = configparser.ConfigParser(interpolation=None)
        with contextlib.suppress(configparser.Error, OSError, UnicodeDecodeError):
            reader.read(folder / "settings", encoding="utf-8")
            if reader.has_section("default"):
                found |= dict(reader.items("default"))
    return {name: text.strip() for name, text in found.items() if text.strip()}


def _variable(environ: Mapping[str, str], name: str) -> str | None:
    return environ.get(name, "").strip() or None


def _public(url: str) -> str:
    return re.sub(r"//[^/@]*@", "//***@", url)
