"""Which files a path means: one, those of a folder, or those of a pattern."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterable
from pathlib import Path

from llmeval_core.hooks import DatasetError
from llmeval_datasets.rows.row_dataset import legal_name

PACKED = (".gz", ".bz2", ".xz", ".zst", ".zip")
_DIGITS = re.compile(r"\d+")


def files_of(path: Path, suffixes: tuple[str, ...]) -> tuple[Path, ...]:
    """List the files in the order of their names, numbers in them by value.

    A name that exists is what is meant, whatever characters it has.

    Args:
        path: what the user wrote.
        suffixes: which files of a folder are read, packed or not.

    Raises:
        DatasetError: nothing is found, or a folder has files of several kinds.
    """
    path = path.expanduser()
    if path.is_dir():
        return _files_in(path, suffixes)
    if not any(sign in str(path) for sign in "*?[") or path.exists():
        return (path,)
    found = [Path(name) for name in glob.glob(str(path), recursive=True)]
    files = [one for one in found if one.is_file()]
    if not files:
        raise DatasetError(
            f"no file matches '{path}'", hint="check the pattern, and the folder it begins in"
        )
    return _ordered(files)


def name_of(path: Path) -> str:
    """Name a data set after its path: the file's name without its suffix, or the folder's.

    A dot within it becomes `_`, because one in a task's name begins the variant.
    """
    stem = path.name if path.is_dir() else _without_suffix(path)
    for text in (stem, path.parent.name):
        if any(character.isalnum() for character in text):
            return legal_name(text.strip(".").replace(".", "_"))
    return "data"


def suffix_of(path: Path) -> str:
    """Return the suffix in small letters, without that of a compression."""
    return Path(_unpacked(path.name.lower())).suffix


def _without_suffix(path: Path) -> str:
    name = path.name[: len(_unpacked(path.name.lower()))]
    return Path(name).stem


def _unpacked(name: str) -> str:
    for packed in PACKED:
        name = name.removesuffix(packed)
    return name


def _files_in(folder: Path, suffixes: tuple[str, ...]) -> tuple[Path, ...]:
    files = [
        one
        for one in folder.iterdir()
        if not one.name.startswith((".", "_")) and suffix_of(one) in suffixes and one.is_file()
    ]
    if not files:
        raise DatasetError(
            f"the folder has no file that ends in {' or '.join(suffixes)}",
            where=str(folder),
            hint="name the file, or a pattern such as `data/*.txt`",
        )
    kinds = sorted({_DIGITS.sub("*", one.name) for one in files})
    if len(kinds) > 1:
        raise DatasetError(
            f"the folder has files of several kinds: {', '.join(kinds[:5])}",
            where=str(folder),
            hint=f"name one of them, as in `path: {folder / kinds[0]}`",
        )
    return _ordered(files)


def _ordered(files: Iterable[Path]) -> tuple[Path, ...]:
    return tuple(sorted(files, key=_order))


def _order(path: Path) -> tuple[list[tuple[int, str]], str]:
    parts = re.split(r"(\d+)", str(path))
    return [(int(part), "") if part.isdecimal() else (0, part) for part in parts], str(path)
