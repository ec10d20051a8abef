"""Files that are replaced as a whole."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread

import pytest

from llmeval_core.support import atomic_draft, write_atomically


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("durable", [False, True])
def test_new_content_takes_the_place_of_the_old(tmp_path: Path, durable: bool) -> None:
    file = tmp_path / "new" / "a.json"

    write_atomically(file, "{}", durable=durable)
    write_atomically(file, "日本\r\n".encode(), durable=durable)

    assert file.read_bytes() == "日本\r\n".encode()
    assert names_in(file.parent) == ["a.json"]


def test_a_text_is_utf_8_and_its_line_ends_stay(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a", "é\n\r\n")

    assert (tmp_path / "a").read_bytes() == b"\xc3\xa9\n\r\n"


def test_a_block_that_fails_leaves_the_old_file_and_no_draft(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("old")

    with pytest.raises(ZeroDivisionError), atomic_draft(file) as draft:
        draft.write_text(str(1 / 0))

    assert file.read_text() == "old"
    assert names_in(tmp_path) == ["a"]


def test_until_the_end_of_the_block_a_reader_sees_the_old_file(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("old")

    with atomic_draft(file) as draft:
        draft.write_text("new")
        seen = file.read_text()

    assert (seen, file.read_text()) == ("old", "new")


def test_the_permissions_of_the_old_file_stay(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("old")
    file.chmod(0o640)

    write_atomically(file, "new")

    assert mode_of(file) == 0o640


def test_a_new_file_has_the_permissions_that_any_new_file_has(tmp_path: Path) -> None:
    (tmp_path / "usual").write_text("")

    write_atomically(tmp_path / "a", "")

    assert mode_of(tmp_path / "a") == mode_of(tmp_path / "usual")


def test_a_secret_is_closed_to_others_from_the_first_moment_on(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("old")
    file.chmod(0o644)

    with atomic_draft(file, mode=0o600) as draft:
        during = mode_of(draft)

    assert (during, mode_of(file)) == (0o600, 0o600)


def test_a_symbolic_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "elsewhere" / "a")

    write_atomically(link, "1")
    write_atomically(link, "2")

    assert link.is_symlink()
    assert (tmp_path / "elsewhere" / "a").read_text() == "2"
    assert names_in(tmp_path) == ["elsewhere", "link"]


def test_what_a_crash_left_behind_is_removed_but_not_what_is_being_written(tmp_path: Path) -> None:
    dead, others = tmp_path / ".a.0123456789ab.draft", tmp_path / ".b.0123456789ab.draft"
    for draft in (dead, others):
        draft.write_text("half of it")
        os.utime(draft, (time.time() - 7200, time.time() - 7200))

    with atomic_draft(tmp_path / "a") as under_way:
        under_way.write_text("1")
        write_atomically(tmp_path / "a", "2")

    assert names_in(tmp_path) == [others.name, "a"]
    assert (tmp_path / "a").read_text() == "1"


def test_a_process_that_is_killed_while_it_writes_leaves_the_old_file(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("old")
    code = (
        "import os, sys; from pathlib import Path; from llmeval_core.support import atomic_draft\n"
        "with atomic_draft(Path(sys.argv[1])) as draft: draft.write_text('new'); os.kill(0, 9)"
    )

    subprocess.run([sys.executable, "-c", code, str(file)], start_new_session=True, check=False)

    assert file.read_text() == "old"


def test_many_who_write_at_once_tear_nothing(tmp_path: Path) -> None:
    file = tmp_path / "a"
    texts = [str(n) * 50_000 for n in range(4)]

    def write(text: str) -> None:
        for _ in range(50):
            write_atomically(file, text)

    threads = [Thread(target=write, args=(text,)) for text in texts]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        if file.exists():
            assert file.read_text() in texts
    for thread in threads:
        thread.join()

    assert names_in(tmp_path) == ["a"]


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(FileExistsError):
        write_atomically(tmp_path / "file" / "a", "")
