"""W&B is away, asks for a key or hangs: told in time, and nothing of it stays behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from llmeval_wandb_tracker.settings import WandbSettings
from llmeval_wandb_tracker.tracker import WandbTracker

from llmeval_core.hooks import TrackerError
from llmeval_core.support import descendants
from llmeval_core.testing import make_task_result, run_info

KEY = "k" * 40


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Point W&B, with a key, to a port that refuses; return the address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
        monkeypatch.setenv("WANDB_API_KEY", KEY)
        monkeypatch.setenv("WANDB_BASE_URL", f"http://{address}")
        yield address


@pytest.fixture
def silence(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """Point W&B, with a key, to a port that takes calls and never answers; return the port."""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(128)
        deaf.settimeout(0)
        monkeypatch.setenv("WANDB_API_KEY", KEY)
        monkeypatch.setenv("WANDB_BASE_URL", f"http://127.0.0.1:{deaf.getsockname()[1]}")
        yield deaf


async def refused(tracker: WandbTracker) -> TrackerError:
    with pytest.raises(TrackerError) as refusal:
        await tracker.deliver(make_task_result(id="r1"))
    return refusal.value


def processes() -> list[int]:
    """List what trackers have started below this test: keepers, workers and W&B's services."""

    def is_ours(pid: int) -> bool:
        with contextlib.suppress(OSError):
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
            return b"wandb_worker" in command or b"wandb-core" in command
        return False

    return sorted(filter(is_ours, descendants(os.getpid())))


def has_ended(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


async def until_ended(pids: list[int]) -> None:
    async with asyncio.timeout(30):
        while not all(map(has_ended, pids)):  # noqa: ASYNC110  other processes
            await asyncio.sleep(0.05)


async def test_without_a_key_it_says_so_and_asks_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    tracker = WandbTracker(WandbSettings())

    with pytest.raises(TrackerError) as refusal:
        await tracker.open(run_info(tmp_path))

    assert refusal.value.what == "Weights & Biases has no API key"
    assert refusal.value.hint == (
        "run `wandb login`, set WANDB_API_KEY, or use the setting `mode: offline`"
    )


async def test_each_attempt_while_the_server_is_away_says_that_and_shows_no_key(
    tmp_path: Path, nobody: str, capfd: pytest.CaptureFixture[str]
) -> None:
    tracker = WandbTracker(WandbSettings(timeout_s=4))
    await tracker.open(run_info(tmp_path))

    first, second = await refused(tracker), await refused(tracker)
    await tracker.close()

    for error in (first, second):
        assert error.what == f"Weights & Biases at {nobody} cannot be reached"
        assert error.hint == "is the network up? the setting `mode: offline` needs none"
        assert not error.permanent
    assert capfd.readouterr() == ("", "")


async def test_a_server_that_never_answers_costs_no_more_than_the_time_limit(
    tmp_path: Path, silence: socket.socket
) -> None:
    tracker = WandbTracker(WandbSettings(timeout_s=1))
    await tracker.open(run_info(tmp_path))

    async with asyncio.timeout(30):
        error = await refused(tracker)
        await tracker.close()

    assert error.what in (
        "Weights & Biases did not answer within 1 s",
        f"Weights & Biases at 127.0.0.1:{silence.getsockname()[1]} cannot be reached",
    )


async def test_nothing_goes_on_behind_a_delivery_that_was_cancelled(
    tmp_path: Path, silence: socket.socket
) -> None:
    tracker = WandbTracker(WandbSettings(timeout_s=60))
    await tracker.open(run_info(tmp_path))
    attempt = asyncio.create_task(tracker.deliver(make_task_result(id="r1")))
    async with asyncio.timeout(30):
        connection, _ = await asyncio.get_running_loop().sock_accept(silence)
    started = processes()

    attempt.cancel()
    await asyncio.wait((attempt,))

    assert started
    await until_ended(started)
    connection.close()
    await tracker.close()


async def test_a_worker_that_is_killed_is_told_and_the_next_delivery_has_another(
    tmp_path: Path,
) -> None:
    tracker = WandbTracker(WandbSettings(mode="offline"))
    await tracker.open(run_info(tmp_path))
    for pid in processes():
        with contextlib.suppress(ProcessLookupError):  # it ended with another one
            os.kill(pid, signal.SIGKILL)

    error = await refused(tracker)
    receipt = await tracker.deliver(make_task_result(id="r1"))
    await tracker.close()

    assert error.what == "the process that talks to Weights & Biases has ended"
    assert receipt.location == str(tmp_path / "wandb" / "model_evaluation")


async def test_close_leaves_no_process(tmp_path: Path) -> None:
    tracker = WandbTracker(WandbSettings(mode="offline"))
    await tracker.open(run_info(tmp_path))
    await tracker.deliver(make_task_result(id="r1"))
    started = processes()

    await tracker.close()

    assert started
    await until_ended(started)


async def test_a_service_that_others_use_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_SERVICE", "3-1-unix-/nowhere")
    tracker = WandbTracker(WandbSettings(mode="offline"))

    await tracker.open(run_info(tmp_path))
    receipt = await tracker.deliver(make_task_result(id="r1"))
    await tracker.close()

    assert receipt.location is not None
