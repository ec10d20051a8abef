"""Paths where no shell has a look."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmeval_core.hooks import Settings, expand_path, file_problem, folder_problem
from llmeval_core.support import cache_folder


class Files(Settings):
    """Paths in every shape that settings have."""

    one: Path = Path("~/by-default")
    maybe: Path | None = None
    many: tuple[Path, ...] = ()
    text: str = "~/no-path"


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("DATA", "~/data")
    monkeypatch.delenv("NOWHERE", raising=False)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("~/x", "/home/me/x"),
        ("~", "/home/me"),
        ("$DATA/x", "/home/me/data/x"),
        ("${DATA}/x", "/home/me/data/x"),
        ("/a/~/x", "/a/~/x"),
        ("a~b", "a~b"),
        ("$NOWHERE/x", "$NOWHERE/x"),
        ("price in $.csv", "price in $.csv"),
        ("~nobody-of-this-name/x", "~nobody-of-this-name/x"),
    ],
)
def test_a_path_means_what_a_shell_would_make_of_it(written: str, meant: str) -> None:
    assert expand_path(written) == Path(meant)


def test_every_path_of_settings_is_expanded_and_no_text_is() -> None:
    files = Files.model_validate({"maybe": "$DATA", "many": ["~/a", "b"]})

    assert files.one == Path("/home/me/by-default")
    assert files.maybe == Path("/home/me/data")
    assert files.many == (Path("/home/me/a"), Path("b"))
    assert files.text == "~/no-path"


def test_the_cache_is_expanded() -> None:
    assert cache_folder({"LLMEVAL_CACHE": "~/c"}) == Path("/home/me/c")
    assert cache_folder({"XDG_CACHE_HOME": "~/c"}) == Path("/home/me/c/llmeval")


@given(st.text(max_size=30))
def test_any_text_can_be_looked_at(text: str) -> None:
    path = expand_path(text)

    for problem in (file_problem(path), folder_problem(path)):
        assert problem is None or problem.strerror


def test_what_is_in_the_way_is_told_and_nothing_is_made(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()

    assert str(folder_problem(file)) == f"[Errno 20] Not a directory: '{file}'"
    assert str(folder_problem(file / "a" / "b")) == f"[Errno 20] Not a directory: '{file / 'a'}'"
    assert str(file_problem(tmp_path)) == f"[Errno 21] Is a directory: '{tmp_path}'"
    assert folder_problem(tmp_path / "a" / "b") is None
    assert file_problem(tmp_path / "a" / "b") is None
    assert list(tmp_path.iterdir()) == [file]
