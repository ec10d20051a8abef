"""The worker process: it calls W&B's SDK; `python -m llmeval_wandb_tracker.wandb_worker`.

W&B's SDK keeps state for a whole process: a service, the ids of runs that are open there, hooks
that wait at exit. An attempt that fails leaves its run "in use" for as long as the process lives.
In a process of its own all of that ends with the process, whatever W&B does.

States and transitions of a delivery, each under the lock of the model's run:

* *received*: the run's state is read from its file. The result is in it -> *delivered*.
* *open*: W&B has opened the run, and the state is merged with what the server has. The result is
  in it -> the run is finished -> *delivered*. Else -> *written*.
* *written*: summary, config and table are handed to W&B. W&B says only by finishing a run that it
  has them: the run is finished -> *saved*.
* *saved*: the run's state is written to its file -> *delivered*, and the tracker is answered.
* An error in any state is answered; the tracker then ends this process and delivers the result
  again later. What W&B has of it by then is written again with the same values.
"""

from __future__ import annotations

from typing import Any

from filelock import FileLock, Timeout

from llmeval_core.hooks import TrackerError
from llmeval_core.support import ParentChannel
from llmeval_wandb_tracker.delivery_messages import DeliverMessage, InitMessage, WorkerReply
from llmeval_wandb_tracker.run_state import RunState, load_state, merge_remote, save_state
from llmeval_wandb_tracker.run_summary import (
    add_result,
    artifact_name,
    is_all_less_complete,
    run_id,
)
from llmeval_wandb_tracker.wandb_run import check_login, import_wandb, model_run


def main() -> None:
    """Answer each message of the tracker, until there are no more."""
    tracker = ParentChannel()
    messages = iter(tracker)
    first = next(messages, None)
    if first is None:
        return
    init = InitMessage.model_validate_json(first)
    try:
        wandb = import_wandb()
        check_login(wandb, init.settings)
    except TrackerError as err:
        _reply(tracker, WorkerReply(error=err.what, hint=err.hint))
        return
    _reply(tracker, WorkerReply())
    for message in messages:
        try:
            url, note = _deliver(wandb, init, DeliverMessage.model_validate_json(message))
            reply = WorkerReply(url=url, note=note)
        except TrackerError as err:
            reply = WorkerReply(error=err.what, hint=err.hint)
        _reply(tracker, reply)


def _reply(tracker: ParentChannel, reply: WorkerReply) -> None:
    tracker.answer(reply.model_dump_json().encode())


def _deliver(
    wandb: Any, init: InitMessage, message: DeliverMessage
) -> tuple[str | None, str | None]:
    """Write one result to its model's run, under a lock; return the run's page, and a note.

    Any: the module wandb.

    Raises:
        TrackerError: W&B did not take it, or the folder cannot be used.
    """
    folder, result = init.folder, message.result
    state_file = folder / f"{run_id(result.model)}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{state_file}.lock", timeout=init.settings.timeout_s):
            state = load_state(state_file)
            if state.has(result.task, result.id):
                return None, None
            with model_run(wandb, init.settings, result.model, folder) as run:
                note = _write(wandb, run, state, message)
                url = str(run.url) if init.settings.mode == "online" else None
            save_state(state_file, state)  # last, when W&B has it all
            return url, note
    except Timeout as err:
        raise TrackerError("another process writes to this model's run for too long") from err
    except (OSError, ValueError, KeyError) as err:
        raise TrackerError(f"cannot use '{folder}': {err}") from err


def _write(wandb: Any, run: Any, state: RunState, message: DeliverMessage) -> str | None:
    """Write one result to an open run, and return a note; Any: the module wandb and its run."""
    result = message.result
    merge_remote(state, dict(run.summary), dict(run.config))
    if state.has(result.task, result.id):
        return None
    writes_table = bool(message.columns) and not is_all_less_complete(state, result)
    note = add_result(state, result)
    if writes_table:
        artifact = wandb.Artifact(
            artifact_name(result.model, result.task),
            type="samples",
            metadata={"task": result.task, "model": result.model, "result": result.id},
        )
        table = wandb.Table(columns=message.columns, data=message.rows, allow_mixed_types=True)
        artifact.add(table, "samples")
        run.log_artifact(artifact)
    run.config.update(state.config, allow_val_change=True)
    run.summary.update(state.summary)
    return note


if __name__ == "__main__":
    main()
