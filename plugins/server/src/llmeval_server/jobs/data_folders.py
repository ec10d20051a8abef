"""The folders in which jobs may name files."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable
from pathlib import Path

from llmeval_server.job_errors import ForbiddenError

_VARIABLE = re.compile(r"\$\{?\w")  # settings expand it
_HUB_NAME = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?")


class DataFolders:
    """Resolves the paths that jobs name, and refuses those outside of the folders.

    Hidden files, such as `.env`, and files in the home folder are refused too.

    Args:
        folders: the folders; a relative path is searched in each, in this order.
        home: the folder of the journal, jobs and logs.
    """

    def __init__(self, folders: Iterable[Path], home: Path) -> None:
        self._shown = tuple(str(folder) for folder in folders)
        self._folders = tuple(Path(folder).resolve() for folder in self._shown)
        self._home = home.resolve()

    def find(self, text: str, *, or_name: bool, where: str) -> str:
        """Return the real path of a file, folder or pattern.

        A path that does not exist is returned as it would be in the first folder, and fails when
        it is opened.

        Args:
            text: the path in the run file.
            or_name: whether it may also be a name, which is returned unchanged.
            where: the setting, for the error.

        Raises:
            ForbiddenError: it is outside of the folders, or a symbolic link leads there.
        """
        path = Path(text)
        if "\0" in text or text.startswith("~") or ".." in path.parts or _VARIABLE.search(text):
            raise self._forbidden(text, where)
        bases = [Path(), *self._folders] if not path.is_absolute() else [Path()]
        inside = [real for base in bases if self._contains(real := (base / path).resolve())]
        found = next((real for real in inside if real.exists()), None)
        if found is None:
            found = next((real for real in inside if _matches(real)), None)
        if found is not None:
            is_checked = not or_name or not found.is_dir()
            if is_checked and not all(
                self._contains(each.resolve()) for each in _data_files(found)
            ):
                raise self._forbidden(text, where)
            return str(found)
        exists = any(os.path.lexists(base / path) for base in bases)
        if or_name and _HUB_NAME.fullmatch(text) and not exists:
            return text
        if not inside or or_name:
            raise self._forbidden(text, where)
        return str(inside[-1])

    def _contains(self, real: Path) -> bool:
        if real.is_relative_to(self._home):
            return False
        return any(
            real.is_relative_to(folder)
            and not any(part.startswith(".") for part in real.relative_to(folder).parts)
            for folder in self._folders
        )

    def _forbidden(self, text: str, where: str) -> ForbiddenError:
        return ForbiddenError(
            f"a job may not name '{text}'",
            where=where,
            hint=f"files must lie in {' or '.join(self._shown) or 'no folder at all'}, and not "
            "be hidden; LLMEVAL_DATA_FOLDERS allows more",
        )


def _matches(pattern: Path) -> list[Path]:
    """List the files that match a pattern such as `test-*.parquet`, without hidden ones."""
    if not any(sign in str(pattern) for sign in "*?["):
        return []
    return [Path(name) for name in glob.iglob(str(pattern), recursive=True)]


def _data_files(path: Path) -> list[Path]:
    """List the files that a data set would read from a folder or by a pattern."""
    if path.is_dir():
        return [each for each in path.iterdir() if each.is_file() and each.name[0] != "."]
    return [] if path.exists() else _matches(path)
