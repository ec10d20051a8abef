"""Renew `constraints.txt`: the newest versions, within our bounds, of all that we install.

The tools of `.pre-commit-config.yaml` get the same versions.

    python -m release.constraints REQUIREMENT...

The requirements are those of `pip install`, `-e` included. Nothing is installed.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from packaging.utils import canonicalize_name

from release.distributions import ROOT

CONSTRAINTS = ROOT / "constraints.txt"
PRE_COMMIT = ROOT / ".pre-commit-config.yaml"
HEAD = """\
# The versions that are tested together: what `make` and CI install. `make constraints` renews them.
"""


def resolve(requirements: Sequence[str]) -> dict[str, str]:
    """Let pip choose a version of each package, as on a machine that has none; slow."""
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / "report.json"
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        command += ["--dry-run", "--ignore-installed", "--report", str(report), *requirements]
        subprocess.run(command, check=True, cwd=ROOT)  # noqa: S603  our own requirements
        installs = json.loads(report.read_text(encoding="utf-8"))["install"]
    return {
        # Without what follows a plus: `2.13.0+cpu` is a build of 2.13.0, not had everywhere.
        canonicalize_name(one["metadata"]["name"]): one["metadata"]["version"].partition("+")[0]
        for one in installs
        if not one.get("download_info", {}).get("url", "").startswith("file:///")
        or "dir_info" not in one["download_info"]
    }


def read_constraints() -> dict[str, str]:
    """Read which version of each package is tested."""
    lines = CONSTRAINTS.read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


def as_text(versions: dict[str, str]) -> str:
    """Write the file: names and versions, nothing that tells where they came from."""
    return HEAD + "".join(f"{name}=={versions[name]}\n" for name in sorted(versions))


def with_versions(text: str, versions: dict[str, str]) -> str:
    """Write these versions into a text with `name==version`; names that are not there stay."""
    return re.sub(
        r"([a-z0-9-]+)==[^\],\s]+",
        lambda found: f"{found[1]}=={versions[found[1]]}" if found[1] in versions else found[0],
        text,
    )


def main() -> None:
    """Resolve what is named, and write both files."""
    versions = resolve(sys.argv[1:])
    CONSTRAINTS.write_text(as_text(versions), encoding="utf-8")
    tools = PRE_COMMIT.read_text(encoding="utf-8")
    PRE_COMMIT.write_text(with_versions(tools, versions), encoding="utf-8")


if __name__ == "__main__":
    main()
