"""The worker process as the tracker sees it: started when needed, ended when anything fails."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel

from llmeval_core.hooks import TrackerError
from llmeval_core.support import ChildCommand, ChildEndedError, ChildProcess, python_command
from llmeval_wandb_tracker.delivery_messages import InitMessage, WorkerReply

_START_TIMEOUT_S = 60.0  # importing wandb takes the processor, not the network
_END_TIMEOUT_S = 2.0


class WorkerProcess:
    """Runs one worker at a time and sends it one message after another, each answered before.

    States and transitions:

    * *absent*: `start`, or the next message, starts a worker -> *starting*.
    * *starting*: the worker imports wandb and looks for a key. It replies -> *ready*. It replies
      with an error, ends, or takes longer than `_START_TIMEOUT_S` -> *absent*.
    * *ready*: a message is sent -> *busy*. `stop` -> *absent*.
    * *busy*: the worker delivers. It replies -> *ready*. It replies with an error, ends or takes
      too long, or the caller is cancelled: the worker is killed, because W&B keeps a failed run as
      "in use" for as long as its process lives -> *absent*.

    Args:
        init: the first message.
        environment: the variables that the process sees.
    """

    def __init__(self, init: InitMessage, environment: Mapping[str, str]) -> None:
        self._init = init
        # A folder `wandb` may lie in the working directory: W&B itself makes it. `python_command`
        # does not import from there.
        self._command = ChildCommand(
            python_command("llmeval_wandb_tracker.wandb_worker"),
            environ=environment,
            takes_messages=True,
        )
        self._child: ChildProcess | None = None

    async def start(self) -> None:
        """Start the process if there is none.

        Raises:
            TrackerError: wandb is not there, nobody is logged in, or it does not start in time.
        """
        if self._child is not None:
            return
        try:
            self._child = await ChildProcess.start(self._command)
        except OSError as err:
            raise TrackerError(
                f"the process for Weights & Biases cannot be started: {err}"
            ) from err
        await self._exchange(self._init, within_s=_START_TIMEOUT_S)

    async def send(self, message: BaseModel, *, within_s: float) -> WorkerReply:
        """Send a message and return the reply, which has no error.

        Raises:
            TrackerError: it says why it failed, or it did not answer in time.
        """
        await self.start()
        return await self._exchange(message, within_s=within_s)

    async def stop(self) -> None:
        """Let the process end by itself; W&B's service ends with it."""
        child, self._child = self._child, None
        if child is not None:
            await child.end(within_s=_END_TIMEOUT_S)

    async def _exchange(self, message: BaseModel, *, within_s: float) -> WorkerReply:
        """Send and receive; if anything goes wrong, the process is killed."""
        child = self._child
        assert child is not None
        try:
            reply = await child.ask(message.model_dump_json().encode(), within_s=within_s)
        except TimeoutError as err:
            self._child = None
            raise TrackerError(
                f"Weights & Biases did not answer within {within_s:g} s",
                hint="the tracker's setting timeout_s allows more time",
            ) from err
        except ChildEndedError as err:
            self._child = None
            raise TrackerError("the process that talks to Weights & Biases has ended") from err
        except BaseException:
            self._child = None
            raise
        answer = WorkerReply.model_validate_json(reply)
        if answer.error is not None:
            # What W&B keeps of a failed attempt would make the next one fail too.
            self._child = None
            await child.end(within_s=0)
            raise TrackerError(answer.error, hint=answer.hint)
        return answer
