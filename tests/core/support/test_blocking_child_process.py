"""Child processes of threads."""

from __future__ import annotations

import gc
import threading
import time
from pathlib import Path

import pytest

from llmeval_core.support import BlockingChildProcess, ChildCommand, ChildEndedError
from tests.core.support.children import (
    STUBBORN,
    answering,
    family,
    is_alive,
    pids_in,
    python,
    wait_until,
)


@pytest.mark.parametrize("message", [b"", b"abc", b"two\nlines\0", b"x" * 3_000_000])
def test_a_message_of_any_content_is_answered(message: bytes) -> None:
    with BlockingChildProcess(answering()) as child:
        assert child.ask(message, within_s=20) == message.upper()


def test_a_child_that_ends_instead_says_its_last_words() -> None:
    child = BlockingChildProcess(answering())

    with pytest.raises(ChildEndedError) as caught:
        child.ask(b"die of it")

    assert str(caught.value) == "the process ended (exit code 3): of it"
    with pytest.raises(ChildEndedError):
        child.ask(b"a")


def test_no_answer_in_time_kills_the_child() -> None:
    child = BlockingChildProcess(answering())

    with pytest.raises(TimeoutError):
        child.ask(b"hang", within_s=0.1)

    assert child.exit_text() == "signal SIGKILL"


def test_a_child_that_reads_nothing_is_not_waited_for_either() -> None:
    child = BlockingChildProcess(ChildCommand(["sleep", "600"], takes_messages=True))

    with pytest.raises(TimeoutError):
        child.ask(b"x" * 1_000_000, within_s=0.1)


def test_an_answer_that_is_too_long_is_not_read() -> None:
    child = BlockingChildProcess(answering())

    with pytest.raises(ChildEndedError):
        child.ask(b"long 3000000", most_bytes=2_999_999)

    assert child.exit_text() == "signal SIGKILL"


def test_who_has_not_ended_in_time_is_still_waited_for_later() -> None:
    child = BlockingChildProcess(ChildCommand(["sleep", "600"]))

    assert child.wait(0.05) is None
    assert child.returncode is None
    child.terminate()
    assert child.wait() == -15


def test_who_does_not_end_is_killed() -> None:
    child = BlockingChildProcess(ChildCommand(python(STUBBORN)))
    wait_until(lambda: "up" in child.last_output())

    child.end(within_s=0.1)

    assert child.exit_text() == "signal SIGKILL"


def test_another_thread_may_be_in_a_hurry() -> None:
    child = BlockingChildProcess(ChildCommand(python(STUBBORN)))
    wait_until(lambda: "up" in child.last_output())
    began = time.monotonic()

    threading.Timer(0.1, child.kill).start()
    child.end(within_s=60)

    assert time.monotonic() - began < 30
    assert child.exit_text() == "signal SIGKILL"


def test_nobody_has_it_any_more_so_it_is_ended(tmp_path: Path) -> None:
    child = BlockingChildProcess(family(tmp_path))
    wait_until(lambda: len(pids_in(tmp_path)) == 3)

    del child
    gc.collect()

    assert not [pid for pid in pids_in(tmp_path) if is_alive(pid)]


def test_what_ended_long_ago_can_be_ended_again() -> None:
    child = BlockingChildProcess(ChildCommand(["true"]))

    codes = [child.wait(), child.end(), child.end()]
    child.kill()
    child.terminate()

    assert codes == [0, 0, 0]
