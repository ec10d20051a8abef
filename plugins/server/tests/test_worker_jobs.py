"""The worker: how jobs run, end, fail, are cancelled and tried again."""

from __future__ import annotations

import re
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest
from llmeval_server.job_errors import JobNotFinishedError
from llmeval_server.jobs.job_records import JobError

from plugins.server.tests.server_processes import ServerProcesses, wait_until, worker_pid


def test_a_job_runs_and_its_results_are_in_the_journal(processes: ServerProcesses) -> None:
    store = processes.store()
    job = store.submit(processes.run_file(20, "a", "b"), name="two tasks")

    processes.start_worker()
    ended = processes.wait_for_end(store, job.id)

    assert (ended.state, ended.errors) == ("succeeded", ())
    assert ended.outcome is not None
    assert ended.outcome.n_samples == ended.outcome.n_requests == 40
    assert len(ended.outcome.results) == 2
    assert ended.started_at is not None
    assert ended.ended_at is not None
    assert ended.submitted_at <= ended.started_at <= ended.ended_at
    assert len(processes.asked()) == 40
    progress = store.progress(job.id)
    assert [(task.task, task.n_done, task.state) for task in progress.tasks] == [
        ("a_0shot", 20, "finished"),
        ("b_0shot", 20, "finished"),
    ]
    said = store.log(job.id)[0]
    assert "attempt 1 begins" in said
    assert "abacus/m a_0shot: 20 samples in" in said
    assert "40 samples, 40 requests, 0 failed" in said
    assert store.last_heartbeat() is not None


def test_progress_grows_while_a_job_runs(processes: ServerProcesses) -> None:
    store = processes.store()
    processes.start_worker()

    job = store.submit(processes.run_file(120, latency_s=0.1), name="slow")
    seen = [store.progress(job.id)]
    while not store.get(job.id).is_over:
        now = store.progress(job.id)
        if now.sequence != seen[-1].sequence:
            seen.append(now)

    assert len(seen) > 4
    sequences = [progress.sequence for progress in seen]
    done = [sum(task.n_done for task in progress.tasks) for progress in seen]
    assert sequences == sorted(sequences)
    assert done == sorted(done)
    running = [
        progress.tasks[0] for progress in seen if progress.tasks and progress.tasks[0].n_under_way
    ]
    assert running
    assert all(task.n_samples == 120 and task.n_under_way <= 4 for task in running)


@pytest.mark.parametrize(
    ("breaks", "errors"),
    [
        (
            "refuse",
            [JobError(what="the key *** is wrong", where="model abacus/m", hint=None)],
        ),
        (
            "bug",
            [
                JobError(
                    what="the model cannot be opened: ZeroDivisionError: in the abacus",
                    where="model abacus/m",
                    hint="this is a bug in the plugin; tell its author",
                )
            ],
        ),
    ],
)
def test_a_job_that_cannot_run_fails_and_says_why(
    processes: ServerProcesses, breaks: str, errors: list[JobError]
) -> None:
    processes.environ["ABACUS_KEY"] = "sk-very-secret"
    store = processes.store()
    run = processes.run_file(10, breaks=breaks)
    run["models"][0]["key"] = "${ABACUS_KEY}"
    job = store.submit(run, name=breaks)

    processes.start_worker()
    ended = processes.wait_for_end(store, job.id)

    assert (ended.state, list(ended.errors)) == ("failed", errors)
    said = store.log(job.id)[0]
    assert f"error: {errors[0].what}" in said
    assert ("ZeroDivisionError: in the abacus" in said) == (breaks == "bug")
    assert "sk-very-secret" not in said + processes.log()
    assert processes.asked() == []


def test_a_run_that_cannot_be_planned_any_more_fails(processes: ServerProcesses) -> None:
    store = processes.store()
    run = processes.run_file(10)
    run["tasks"][0]["dataset"]["use"] = "summs"
    job = store.submit(run, name="misspelt")

    processes.start_worker()
    ended = processes.wait_for_end(store, job.id)

    assert ended.state == "failed"
    assert ended.errors == (
        JobError(
            what="unknown data set 'summs'",
            where="tasks[0].dataset",
            hint="did you mean 'sums'? `llmeval datasets` lists all",
        ),
    )


def test_failed_samples_do_not_fail_a_job(processes: ServerProcesses) -> None:
    store = processes.store()
    job = store.submit(processes.run_file(10, breaks="fail"), name="fives")

    processes.start_worker()
    ended = processes.wait_for_end(store, job.id)

    assert (ended.state, ended.errors) == ("succeeded", ())
    assert ended.outcome is not None
    assert (ended.outcome.n_samples, ended.outcome.n_failed) == (10, 2)


def test_a_running_job_is_cancelled_by_both_who_ask_and_keeps_what_it_has(
    processes: ServerProcesses,
) -> None:
    store = processes.store()
    processes.start_worker()
    job = store.submit(processes.run_file(2000, latency_s=0.05), name="long")
    wait_until(lambda: len(processes.asked()) > 20, "the first questions")

    with ThreadPoolExecutor(2) as threads:
        both = list(threads.map(store.cancel, [job.id, job.id]))
    last_line = re.compile(r"\d+ samples?, \d+ requests?, ")
    wait_until(lambda: last_line.search(store.log(job.id)[0]), "the end of the run")

    asked = processes.asked()
    ended = store.get(job.id)
    assert {one.state for one in both} == {"cancelled"}
    assert (ended.state, ended.errors, ended.outcome) == ("cancelled", (), None)
    assert ended.started_at is not None
    assert len(asked) < 2000
    assert processes.committed() == set(asked)
    assert "cancelled: what is finished stays in the journal" in store.log(job.id)[0]

    next_job = store.submit(processes.run_file(5, "next"), name="next")
    assert processes.wait_for_end(store, next_job.id).state == "succeeded"


def test_a_cancelled_job_goes_on_when_it_is_retried(processes: ServerProcesses) -> None:
    store = processes.store()
    processes.start_worker()
    job = store.submit(processes.run_file(200, latency_s=0.05), name="long")
    wait_until(lambda: len(processes.asked()) > 20, "the first questions")
    with pytest.raises(JobNotFinishedError):
        store.retry(job.id)
    store.cancel(job.id)

    store.retry(job.id)
    ended = processes.wait_for_end(store, job.id)

    assert (ended.id, ended.state, ended.attempt) == (job.id, "succeeded", 2)
    assert ended.outcome is not None
    assert ended.outcome.n_samples == 200
    assert len(processes.asked()) == len(set(processes.asked())) == 200
    assert "attempt 2 begins" in store.log(job.id)[0]


def test_a_failed_job_succeeds_when_its_reason_is_gone(processes: ServerProcesses) -> None:
    store = processes.store()
    processes.start_worker()
    run = processes.run_file(5)
    run["models"][0]["asked"] = str(processes.folder / "missing" / "asked.txt")
    job = store.submit(run, name="nowhere to write")
    assert processes.wait_for_end(store, job.id).state == "failed"

    (processes.folder / "missing").mkdir()
    store.retry(job.id)
    ended = processes.wait_for_end(store, job.id)

    assert (ended.state, ended.attempt, ended.errors) == ("succeeded", 2, ())


def test_no_more_jobs_run_than_allowed_and_all_of_them_end(processes: ServerProcesses) -> None:
    store = processes.store()
    jobs = [
        store.submit(processes.run_file(20, f"t{i}", latency_s=0.1), name=str(i)) for i in range(5)
    ]
    processes.start_worker("--jobs-at-once", "2")

    most = 0
    while not all(job.is_over for job in store.list().jobs):
        most = max(most, store.counts()["running"])

    assert most == 2
    assert store.counts()["succeeded"] == len(jobs)


def test_a_worker_that_is_told_to_end_leaves_its_jobs_to_the_next(
    processes: ServerProcesses,
) -> None:
    store = processes.store()
    worker = processes.start_worker()
    job = store.submit(processes.run_file(200, latency_s=0.05), name="long")
    waiting = store.submit(processes.run_file(5, "waiting"), name="waiting")
    wait_until(lambda: len(processes.asked()) > 20, "the first questions")

    worker.send_signal(signal.SIGTERM)
    code = worker.wait(30)
    before = processes.asked()

    assert code == 0
    assert not store.get(job.id).is_over
    assert processes.committed() == set(before)
    processes.start_worker()
    assert processes.wait_for_end(store, job.id).state == "succeeded"
    assert processes.wait_for_end(store, waiting.id).state == "succeeded"
    assert len(processes.asked()) == len(set(processes.asked())) == 205
    assert store.get(job.id).attempt == 1
    assert "goes on where it stopped" in store.log(job.id)[0]


def test_a_request_that_hangs_does_not_keep_a_worker_that_is_told_to_end(
    processes: ServerProcesses,
) -> None:
    store = processes.store()
    worker = processes.start_worker()
    job = store.submit(processes.run_file(5, latency_s=600), name="hangs")
    wait_until(processes.asked, "the first question")

    worker.send_signal(signal.SIGTERM)

    assert worker.wait(30) == 0
    assert store.get(job.id).state == "running"


def test_a_folder_has_one_worker(processes: ServerProcesses) -> None:
    first = processes.start_worker()
    wait_until(lambda: worker_pid(processes.home), "the first worker")

    second = processes.start_worker()

    assert second.wait(60) == 2
    said = processes.said(second)
    assert said.startswith(f"error: this folder has a worker already: process {first.pid}, since 2")
    assert said.endswith(
        f"  where: {processes.home}\n"
        "  try:   use that one, or choose another folder with --home DIR\n"
    )


def test_a_job_that_kills_its_worker_again_and_again_is_given_up(
    processes: ServerProcesses,
) -> None:
    processes.before = "import llmeval_server.jobs.job_workflow as w; w.MAX_RECOVERIES = 1"
    store = processes.store()
    deadly = store.submit(processes.run_file(1, "deadly", breaks="die"), name="deadly")
    good = store.submit(processes.run_file(5), name="good")

    deaths = [processes.start_worker().wait(60) for _ in range(2)]
    processes.start_worker()
    ended = processes.wait_for_end(store, deadly.id)

    assert deaths == [-signal.SIGABRT] * 2
    assert ended.state == "failed"
    assert ended.errors == (
        JobError(
            what="the worker ended again and again while it ran this job",
            hint="see the server's log, then retry the job",
        ),
    )
    assert processes.wait_for_end(store, good.id).state == "succeeded"
    assert store.list(states=["failed"]).n_jobs == 1
    assert store.retry(deadly.id).attempt == 2
