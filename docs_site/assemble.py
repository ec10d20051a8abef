"""Puts the site's pages together: `python -m docs_site.assemble FOLDER`, then `mkdocs build`.

Papers lie all over the tree and link to each other as they lie there. Here each one gets its place
in the site, and its links are turned to it; pages about commands and components are written from
what is installed.
"""

from __future__ import annotations

import shutil
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from docs_site.command_pages import command_sections
from docs_site.component_pages import component_sections
from docs_site.links import SitePages, site_text

ROOT = Path(__file__).parent.parent

PROJECT_PAPERS = {
    "ARCHITECTURE.md": "project/architecture.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "CHANGELOG.md": "project/changelog.md",
    "SECURITY.md": "project/security.md",
    "benchmarks/README.md": "project/benchmarks.md",
}
"""Papers outside of `docs/` that have a page, and its place in the site."""


def assemble(root: Path, target: Path) -> None:
    """Write every page of the site into an empty folder, from which MkDocs builds it."""
    if target.exists():
        shutil.rmtree(target)
    pages = find_pages(root)
    for paper, place in pages.places.items():
        _write(target / place, site_text(paper.read_text(encoding="utf-8"), paper, pages))
    for asset in _assets(root / "docs"):
        copy = target / asset.relative_to(root / "docs")
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(asset, copy)
    _append(target / "reference" / "commands.md", command_sections())
    for kind, text in component_sections().items():
        _append(target / "reference" / "catalogue" / f"{kind}.md", text)


def find_pages(root: Path) -> SitePages:
    """Find every paper that has a page."""
    places = {paper: paper.relative_to(root / "docs").as_posix() for paper in _papers(root)}
    places |= {root / paper: place for paper, place in PROJECT_PAPERS.items()}
    places |= {
        project.parent / "README.md": f"distributions/{name}.md"
        for project, name in _distributions(root)
    }
    return SitePages(root, places)


def _papers(root: Path) -> list[Path]:
    return sorted((root / "docs").rglob("*.md"))


def _distributions(root: Path) -> Iterator[tuple[Path, str]]:
    """Find the projects that have a paper of their own, with the names of their distributions."""
    for project in sorted(
        [*root.glob("plugins/**/pyproject.toml"), *root.glob("*/pyproject.toml")]
    ):
        if (project.parent / "README.md").exists():
            yield project, tomllib.loads(project.read_text(encoding="utf-8"))["project"]["name"]


def _assets(docs: Path) -> Iterator[Path]:
    for path in sorted(docs.rglob("*")):
        hidden = any(part.startswith((".", "__")) for part in path.relative_to(docs).parts)
        if path.is_file() and path.suffix != ".md" and not hidden:
            yield path


def _append(path: Path, text: str) -> None:
    """Add what is written from the code to a page whose beginning is a paper."""
    _write(path, f"{path.read_text(encoding='utf-8')}\n{text}")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    assemble(ROOT, Path(sys.argv[1]))
