"""Build a wheel and an sdist of every distribution into `dist/`.

    python -m release.build

Each wheel is built from its sdist, so both are proved to be whole.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from release.distributions import ROOT, Distribution, distributions

DIST = ROOT / "dist"


def build(found: Distribution, folder: Path) -> list[Path]:
    """Build one distribution, and return its wheel and its sdist.

    Raises:
        subprocess.CalledProcessError: it cannot be built.
    """
    for old in _files(found, folder):
        old.unlink()
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder)]
    subprocess.run(  # noqa: S603  our own folder
        [*command, str(found.folder)], check=True, cwd=folder, stdout=subprocess.DEVNULL
    )
    return _files(found, folder)


def _files(found: Distribution, folder: Path) -> list[Path]:
    return sorted(file for file in folder.iterdir() if file.name.startswith(f"{found.file_name}-"))


def main() -> None:
    """Build them all."""
    DIST.mkdir(exist_ok=True)
    for found in distributions():
        print(*(file.name for file in build(found, DIST)))  # noqa: T201  what the command is for


if __name__ == "__main__":
    main()
