"""Give all distributions another version, and each of them the bounds of the others.

    python -m release.version 0.2.0

The version stands in one place, `llmeval_core/__init__.py`; every `pyproject.toml` reads it there.
What does not follow by itself are the bounds in which a distribution accepts the others.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from packaging.version import InvalidVersion, Version

from release.distributions import ROOT, distributions

_BOUNDS = re.compile(r"(\"llmeval-[a-z-]+(?:\[[a-z,]+\])?)>=[^\",]+,<[^\";]+")
_VERSION = re.compile(r'(?m)^__version__ = ".*"$')


def bounds(version: Version) -> str:
    """Write which versions go together: this one, up to the next that may break something.

    Before 1.0 that is the next minor one, afterwards the next major one.
    """
    end = f"0.{version.minor + 1}" if version.major == 0 else str(version.major + 1)
    return f">={version},<{end}"


def set_version(version: Version, root: Path = ROOT) -> list[Path]:
    """Write the version and the bounds, also those of the template and of the guide.

    Returns:
        The files that changed.
    """
    projects = [one.folder / "pyproject.toml" for one in distributions(root)]
    templates = sorted(root.glob("templates/*/pyproject.toml"))
    source = root / "llmeval_core" / "__init__.py"
    changed = []
    for file in (source, *projects, *templates, root / "docs" / "plugins.md"):
        before = file.read_text(encoding="utf-8")
        after = _VERSION.sub(f'__version__ = "{version}"', before)
        after = _BOUNDS.sub(rf"\g<1>{bounds(version)}", after)
        if after != before:
            file.write_text(after, encoding="utf-8")
            changed.append(file)
    return changed


def main() -> None:
    """Set the version that is named, and list what changed."""
    try:
        version = Version(sys.argv[1])
    except (IndexError, InvalidVersion):
        sys.exit("error: name a version\n  try:   make version TO=0.2.0")
    for file in set_version(version):
        print(file.relative_to(ROOT))  # noqa: T201  what the command is for


if __name__ == "__main__":
    main()
