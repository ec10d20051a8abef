"""The lock of a folder: who has it, and who does not give back what another one holds."""

from __future__ import annotations

from pathlib import Path

import pytest
from llmeval_server.home_lock import HomeLock

from llmeval_core.hooks import ConfigError


def test_who_did_not_get_it_gives_nothing_back(tmp_path: Path) -> None:
    other = HomeLock(tmp_path, "server")

    with HomeLock(tmp_path, "server"):
        with pytest.raises(ConfigError, match="has a server already: process"):
            other.acquire()
        other.release()

        assert (tmp_path / "server.json").exists()
    assert not (tmp_path / "server.json").exists()


def test_what_is_given_back_before_it_was_taken_can_be_taken(tmp_path: Path) -> None:
    lock = HomeLock(tmp_path, "worker")

    lock.release()
    lock.acquire()

    assert (tmp_path / "worker.json").exists()
    lock.release()
    lock.release()
    assert not (tmp_path / "worker.json").exists()
