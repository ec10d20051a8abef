"""The program that talks to W&B: `python -m llmeval_wandb_tracker.visitor`, fed over its pipes.

W&B's SDK keeps state for a whole process: a service, the ids of runs that are open there, hooks
that wait at exit. An attempt that fails leaves its run "in use" for as long as the process lives.
In a process of its own all of that ends with the process, whatever W&B does.
"""

from __future__ import annotations

import os
import sys
from typing import Any, TextIO

from filelock import FileLock, Timeout

from llmeval_core.hooks import TrackerError
from llmeval_wandb_tracker.content import add_result, artifact_name, gives_way, run_id
from llmeval_wandb_tracker.errand import Answer, Errand, Greeting
from llmeval_wandb_tracker.memory import Memory, learn, read_memory, write_memory
from llmeval_wandb_tracker.wandb_run import check_login, import_wandb, model_run


def main() -> None:
    """Answer each line of the standard input, until it ends."""
    answers = _take_output()
    try:
        greeting = Greeting.model_validate_json(sys.stdin.readline())
        wandb = import_wandb()
        check_login(wandb, greeting.settings)
    except TrackerError as err:
        _say(answers, Answer(error=err.what, hint=err.hint))
        return
    _say(answers, Answer())
    for line in sys.stdin:
        try:
            errand = Errand.model_validate_json(line)
            url, note = _visit(wandb, greeting, errand)
            answer = Answer(url=url, note=note)
        except TrackerError as err:
            answer = Answer(error=err.what, hint=err.hint)
        _say(answers, answer)


def _take_output() -> TextIO:
    """Keep the standard output for answers; what W&B prints goes nowhere."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return answers


def _say(answers: TextIO, answer: Answer) -> None:
    answers.write(answer.model_dump_json() + "\n")
    answers.flush()


def _visit(wandb: Any, greeting: Greeting, errand: Errand) -> tuple[str | None, str | None]:
    """Bring one result to its model's run, under a lock; return the run's page, and a note.

    Any: the module wandb.

    Raises:
        TrackerError: W&B did not take it, or the folder cannot be used.
    """
    folder, result = greeting.folder, errand.result
    memory_file = folder / f"{run_id(result.model)}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{memory_file}.lock", timeout=greeting.settings.timeout_s):
            memory = read_memory(memory_file)
            if memory.has(result.task, result.id):
                return None, None
            with model_run(wandb, greeting.settings, result.model, folder) as run:
                note = _write(wandb, run, memory, errand)
                url = str(run.url) if greeting.settings.mode == "online" else None
            write_memory(memory_file, memory)  # last, when W&B has it all
            return url, note
    except Timeout as err:
        raise TrackerError("another process writes to this model's run for too long") from err
    except (OSError, ValueError, KeyError) as err:
        raise TrackerError(f"cannot use '{folder}': {err}") from err


def _write(wandb: Any, run: Any, memory: Memory, errand: Errand) -> str | None:
    """Write one result to an open run, and return a note; Any: the module wandb and its run."""
    result = errand.result
    learn(memory, dict(run.summary), dict(run.config))
    if memory.has(result.task, result.id):
        return None
    has_rows = bool(errand.columns) and not gives_way(memory, result)
    note = add_result(memory, result)
    if has_rows:
        artifact = wandb.Artifact(
            artifact_name(result.model, result.task),
            type="samples",
            metadata={"task": result.task, "model": result.model, "result": result.id},
        )
        table = wandb.Table(columns=errand.columns, data=errand.rows, allow_mixed_types=True)
        artifact.add(table, "samples")
        run.log_artifact(artifact)
    run.config.update(memory.config, allow_val_change=True)
    run.summary.update(memory.summary)
    return note


if __name__ == "__main__":
    main()
