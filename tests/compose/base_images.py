"""The images that ours are made from: pulled, or made from Debian's packages where none can be."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from tests.compose.engine import Engine
from tests.compose.shell import StepError, run, step

PYTHON = "python:3.11-slim"
POSTGRES = "postgres:16"
_HERE = Path(__file__).parent
_SOURCES = Path("/etc/apt/sources.list.d/debian.sources")
_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


def provide_base_images(engine: Engine, work: Path) -> None:
    """See to it that the images are there by their usual names."""
    if not _is_there(engine, PYTHON):
        with step(f"make a stand-in for {PYTHON}"):
            _make(
                engine,
                PYTHON,
                packages=["ca-certificates", "python3", "python3-pip", "python3-venv"],
                hooks=_python_hooks(work),
                changes=['CMD ["python3"]'],
            )
    if not _is_there(engine, POSTGRES):
        with step(f"make a stand-in for {POSTGRES}"):
            _make(
                engine,
                POSTGRES,
                packages=["postgresql"],
                hooks=[
                    f"copy-in {_HERE / 'postgres-entrypoint.sh'} /usr/local/bin",
                    'chroot "$1" install -d -o postgres -g postgres /var/lib/postgresql/data',
                    # A tmpfs there takes over this mode, at the latest when it starts again.
                    'chroot "$1" install -d -o postgres -g postgres -m 3777 /run/postgresql',
                ],
                changes=['ENTRYPOINT ["bash", "/usr/local/bin/postgres-entrypoint.sh"]'],
            )


def _is_there(engine: Engine, name: str) -> bool:
    """Look for an image, and try to pull it."""
    for words in (["image", "inspect", name], ["pull", "-q", name]):
        try:
            engine.docker(*words, timeout_s=120)
        except (StepError, subprocess.TimeoutExpired):
            continue
        return True
    return False


def _python_hooks(work: Path) -> list[str]:
    """What makes Debian's Python look like the official image, with this machine's pip settings."""
    lines = ["[global]", f"cert = {_CERTIFICATES}"]
    index = run(["pip", "config", "list"], env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"})
    for address in re.findall(r"(?m)^global\.index-url='(.*)'$", index):
        lines += [f"index-url = {address}"]
    settings = work / "pip.conf"
    settings.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return [
        'ln -s /usr/bin/python3 "$1/usr/local/bin/python"',
        'ln -s /usr/bin/python3 "$1/usr/local/bin/python3"',
        'rm -f "$1"/usr/lib/python3*/EXTERNALLY-MANAGED',
        f"copy-in {settings} /etc",
        f"copy-in {_CERTIFICATES} {_CERTIFICATES.parent}",
    ]


def _make(
    engine: Engine, name: str, *, packages: list[str], hooks: list[str], changes: list[str]
) -> None:
    sources = [str(_SOURCES)] if _SOURCES.exists() else []
    bootstrap = subprocess.Popen(
        [
            "mmdebstrap",
            "--quiet",
            "--variant=minbase",
            "--skip=cleanup/run",
            f"--include={','.join(packages)}",
            "--dpkgopt=path-exclude=/usr/share/doc/*",
            "--dpkgopt=path-exclude=/usr/share/man/*",
            *(f"--customize-hook={hook}" for hook in hooks),
            "bookworm",
            "-",
            *sources,
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    )
    words = [word for change in changes for word in ("--change", change)]
    subprocess.run(
        ["docker", "import", *words, "-", name],
        env=engine.env,
        stdin=bootstrap.stdout,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    if bootstrap.wait():
        raise StepError(f"mmdebstrap failed for {name}")
