"""What bounds a job: limits, prices, budgets, times."""

from __future__ import annotations

from pathlib import Path

from llmeval_core.api import Session
from plugins.server.tests.server_processes import ServerProcesses
from plugins.server.tests.test_job_policy import confined, run


def test_what_bounds_a_run_is_for_a_job_to_choose(session: Session, data: Path) -> None:
    limits = {"requests_per_minute": 60.0, "tokens_per_minute": 90_000.0}
    bounds = {
        "limits": limits,
        "prices": {"echo/*": {"input": 1.0, "output": 2.0}},
        "budget": {"cost": 2.5, "tokens": 1000},
        "max_concurrency": 64,
        "max_samples_failed": 0.1,
        "fail_fast": True,
        "retry": {"max_attempts": 2, "budget": 0.5},
        "timeouts": {"sample_s": 30.0, "task_s": 60.0, "run_s": 90.0, "unavailable_s": 10.0},
    }

    found = confined(session, data, run({"name": "echo/a", "limits": limits}, **bounds))

    assert found["models"] == [{"name": "echo/a", "limits": limits}]
    assert {key: found[key] for key in bounds} == bounds


def test_a_job_that_used_up_its_budget_says_so_and_goes_on_when_it_is_retried(
    processes: ServerProcesses,
) -> None:
    store = processes.store()
    run = processes.run_file(40)
    run["budget"] = {"tokens": 100}
    run["prices"] = {"abacus/*": {"input": 1e6, "output": 1e6}}
    job = store.submit(run, name="dear")

    processes.start_worker()
    stopped = processes.wait_for_end(store, job.id)
    store.retry(job.id)
    retried = processes.wait_for_end(store, job.id)

    assert stopped.state == "failed"
    assert stopped.errors[0].what.startswith("the budget of 100 tokens is used up")
    assert stopped.errors[0].where == "budget"
    assert stopped.outcome is not None
    assert 100 <= stopped.outcome.n_tokens < 200
    assert stopped.outcome.cost == stopped.outcome.n_tokens
    assert len(processes.asked()) == len(set(processes.asked())) == 40
    assert retried.outcome is not None
    assert retried.outcome.n_tokens == 200 - stopped.outcome.n_tokens
