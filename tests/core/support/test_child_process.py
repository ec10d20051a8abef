"""Child processes of an event loop."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from llmeval_core.support import ChildCommand, ChildEndedError, ChildProcess, python_command
from tests.core.support.children import (
    STUBBORN,
    answering,
    family,
    is_alive,
    pids_in,
    python,
    wait_until,
)


async def started(command: ChildCommand) -> ChildProcess:
    return await ChildProcess.start(command)


@pytest.mark.parametrize("message", [b"", b"abc", b"two\nlines\0", b"x" * 3_000_000])
async def test_a_message_of_any_content_is_answered(message: bytes) -> None:
    async with await started(answering()) as child:
        assert await child.ask(message) == message.upper()


async def test_one_message_after_another_is_answered() -> None:
    async with await started(answering()) as child:
        answers = [await child.ask(b"%d a" % n) for n in range(100)]

    assert answers == [b"%d A" % n for n in range(100)]


async def test_what_is_printed_does_not_break_into_an_answer_and_input_is_not_taken() -> None:
    async with await started(answering()) as child:
        assert await child.ask(b"read") == b""
        await asyncio.to_thread(wait_until, lambda: child.last_output() == "this is printed\n")


async def test_the_end_of_its_input_tells_it_to_end() -> None:
    async with await started(answering()) as child:
        await child.ask(b"a")

        assert child.returncode is None
        assert child.exit_text() is None
        assert await child.end() == 0

    assert child.exit_text() == "exit code 0"


async def test_a_child_that_ends_instead_says_its_last_words() -> None:
    child = await started(answering())

    with pytest.raises(ChildEndedError) as caught:
        await child.ask(b"die of it")

    assert str(caught.value) == "the process ended (exit code 3): of it"
    assert (caught.value.code, caught.value.last_line) == (3, "of it")
    assert child.last_output() == "this is printed\nof it\n"


async def test_a_child_that_has_ended_cannot_be_asked() -> None:
    child = await started(answering())
    with pytest.raises(ChildEndedError):
        await child.ask(b"die")

    with pytest.raises(ChildEndedError):
        await child.ask(b"a")


async def test_no_answer_in_time_kills_the_child() -> None:
    child = await started(answering())

    with pytest.raises(TimeoutError):
        await child.ask(b"hang", within_s=0.1)

    assert child.exit_text() == "signal SIGKILL"


async def test_a_cancelled_question_kills_the_child() -> None:
    child = await started(answering())
    asking = asyncio.create_task(child.ask(b"hang"))
    await asyncio.sleep(0)

    asking.cancel()

    with pytest.raises(asyncio.CancelledError):
        await asking
    assert child.exit_text() == "signal SIGKILL"


async def test_an_answer_that_is_too_long_is_not_read() -> None:
    child = await started(answering())

    with pytest.raises(ChildEndedError):
        await child.ask(b"long 3000000", most_bytes=2_999_999)

    assert child.exit_text() == "signal SIGKILL"


async def test_a_child_that_speaks_without_being_asked_can_be_ended_but_not_asked_again() -> None:
    child = await started(answering())

    async def ask_again_and_again() -> None:
        while True:
            await child.ask(b"chatter")

    with pytest.raises(ChildEndedError):
        await ask_again_and_again()

    assert child.returncode is not None


async def test_who_takes_no_messages_is_terminated() -> None:
    async with await started(ChildCommand(["sleep", "600"])) as child:
        pass

    assert child.exit_text() == "signal SIGTERM"


async def test_who_does_not_end_is_killed() -> None:
    child = await started(ChildCommand(python(STUBBORN)))
    await asyncio.to_thread(wait_until, lambda: "up" in child.last_output())

    await child.end(within_s=0.1)

    assert child.exit_text() == "signal SIGKILL"


@pytest.mark.parametrize("code", [0, 1, 127, 255])
async def test_the_exit_code_is_that_of_the_command(code: int) -> None:
    child = await started(ChildCommand(python(f"import os; os._exit({code})")))

    assert await child.wait() == code


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGABRT])
async def test_the_signal_is_that_of_the_command(number: int) -> None:
    child = await started(ChildCommand(python(f"import os; os.kill(os.getpid(), {number})")))

    assert await child.wait() == -number


async def test_all_that_it_started_is_gone_with_it(tmp_path: Path) -> None:
    child = await started(family(tmp_path))
    await asyncio.to_thread(wait_until, lambda: len(pids_in(tmp_path)) == 3)

    child.kill()
    await child.wait()

    assert not [pid for pid in pids_in(tmp_path) if is_alive(pid)]


async def test_what_it_leaves_behind_is_gone_too(tmp_path: Path) -> None:
    child = await started(family(tmp_path, leave=True))

    await child.wait()

    assert not [pid for pid in pids_in(tmp_path) if is_alive(pid)]


async def test_killing_the_keeper_kills_the_command(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    code = "import os, pathlib, sys, time; pathlib.Path(sys.argv[1]).write_text(str(os.getpid()))"
    child = await started(ChildCommand(python(f"{code}; time.sleep(600)", str(note))))
    await asyncio.to_thread(wait_until, lambda: note.exists() and note.read_text())

    os.kill(child.pid, signal.SIGKILL)
    await child.wait()

    await asyncio.to_thread(wait_until, lambda: not is_alive(int(note.read_text())))
    assert child.exit_text() == "signal SIGKILL"


async def test_what_the_command_started_does_not_outlive_a_killed_keeper(tmp_path: Path) -> None:
    code = (
        "import pathlib, subprocess, sys;"
        "child = subprocess.Popen(['sleep', '600']);"
        "pathlib.Path(sys.argv[1]).write_text(str(child.pid)); child.wait()"
    )
    note = tmp_path / "pid"
    child = await started(ChildCommand(python(code, str(note))))
    await asyncio.to_thread(wait_until, lambda: note.exists() and note.read_text())

    os.kill(child.pid, signal.SIGKILL)
    await child.wait()

    await asyncio.to_thread(wait_until, lambda: not is_alive(int(note.read_text())))


async def test_ctrl_c_in_the_terminal_does_not_reach_it() -> None:
    child = await started(ChildCommand(["sleep", "600"]))

    assert os.getsid(child.pid) != os.getsid(0)
    await child.end()


async def test_what_it_says_is_kept_in_a_file_of_bounded_size(tmp_path: Path) -> None:
    log = tmp_path / "log"
    code = "for n in range(100_000): print('line', n)"
    command = ChildCommand(python(code), output=log, most_output_bytes=50_000)

    async with await started(command) as child:
        await child.wait()

    lines = log.read_text().splitlines()
    assert 25_000 - 100 < log.stat().st_size <= 50_000
    assert lines == [f"line {100_000 - len(lines) + n}" for n in range(len(lines))]
    assert child.last_output().endswith("\nline 99999\n")
    assert len(child.last_output()) <= 4000
    assert log.stat().st_mode & 0o777 == 0o600


async def test_a_file_is_continued_by_the_next_life(tmp_path: Path) -> None:
    for word in ("one", "two"):
        async with await started(ChildCommand(["echo", word], output=tmp_path / "log")) as child:
            await child.wait()

    assert (tmp_path / "log").read_text() == "one\ntwo\n"


async def test_variables_and_folder_are_those_of_the_command(tmp_path: Path) -> None:
    code = "import os; print(os.getcwd(), os.environ.get('A'), 'HOME' in os.environ)"
    command = ChildCommand(python(code), environ={"A": "1"}, folder=tmp_path)

    async with await started(command) as child:
        await child.wait()

    assert child.last_output() == f"{tmp_path} 1 False\n"


async def test_nothing_is_open_in_the_command_but_its_streams() -> None:
    code = "import os; print(sorted(map(int, os.listdir('/proc/self/fd')))[:-1])"

    async with await started(ChildCommand(python(code))) as child:
        await child.wait()

    assert child.last_output() == "[0, 1, 2]\n"


async def test_the_command_ignores_no_signal_and_blocks_none() -> None:
    usual = signal.signal(signal.SIGQUIT, signal.SIG_IGN)  # as in a shell's background job
    try:
        async with await started(ChildCommand(["cat", "/proc/self/status"])) as child:
            await child.wait()
    finally:
        signal.signal(signal.SIGQUIT, usual)

    status = dict(line.split(":\t", 1) for line in child.last_output().splitlines())
    of_libc = 0b11 << 31  # signals 32 and 33, which no program can change
    assert (int(status["SigIgn"], 16) | int(status["SigBlk"], 16)) & ~of_libc == 0


async def test_a_program_that_is_not_there_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        await started(ChildCommand(["no-such-program-anywhere"]))


async def test_a_program_that_cannot_be_run_says_why(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_bytes(b"\x7fELF nonsense")
    program.chmod(0o755)

    async with await started(ChildCommand([str(program)])) as child:
        assert await child.wait() == 127

    assert child.last_output().startswith(f"cannot run {program}: [Errno 8] Exec format error")


def test_the_current_folder_is_not_imported_from() -> None:
    assert python_command("llmeval_x.child", "a") == (
        sys.executable, "-P", "-m", "llmeval_x.child", "a"
    )  # fmt: skip
