"""What tests need besides Python: `make quick` leaves out all that have one of these marks.

A test has a mark by the file that it stands in, or by a fixture that it uses.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Need:
    """Which tests need something.

    Args:
        what: it, in one line.
        files: beginnings of their paths, from the root of the repository.
        fixtures: fixtures that give it.
    """

    what: str
    files: tuple[str, ...] = ()
    fixtures: frozenset[str] = frozenset()


NEEDS = {
    "server": Need(
        "starts a server process: `llmeval serve`, MLflow, nginx",
        files=(
            "plugins/proxies/mlflow_proxy/",
            "plugins/server/tests/pages/test_pages_jobs.py",
            "plugins/server/tests/pages/test_pages_start.py",
            "plugins/server/tests/test_api_schema.py",
            "plugins/server/tests/test_jobs_command.py",
            "plugins/server/tests/test_plan_limits.py",
            "plugins/server/tests/test_serve_",
            "plugins/server/tests/test_shutdown.py",
            "plugins/server/tests/test_store_jobs.py",
            "plugins/server/tests/test_worker_",
            "plugins/trackers/wandb_tracker/tests/test_wandb_",
            "tests/integration/",
            "tests/test_cookbook.py",
        ),
        fixtures=frozenset({"any_server", "mlflow_server", "postgres_server", "processes"}),
    ),
    "browser": Need(
        "starts a browser",
        files=(
            "plugins/proxies/mlflow_proxy/tests/test_browser.py",
            "plugins/server/tests/pages/test_pages_browser.py",
            "tests/integration/test_from_form_to_mlflow.py",
        ),
    ),
    "postgres": Need("starts PostgreSQL", fixtures=frozenset({"postgres", "postgres_server"})),
    "cluster": Need("starts Ray", files=("plugins/executors/ray_executor/",)),
    "kills": Need(
        "kills processes at every moment",
        files=(
            "plugins/server/tests/test_serve_kills.py",
            "plugins/server/tests/test_worker_kills.py",
            "plugins/trackers/mlflow_tracker/tests/test_race.py",
            "plugins/tasks/lm_eval/tests/test_killed_runs.py",
            "tests/integration/test_kill_and_resume.py",
            "tests/integration/test_killed_conversations.py",
            "tests/integration/test_killed_tasks.py",
        ),
    ),
    "slow": Need(
        "takes many seconds: a model, a database, programs that are started again and again",
        files=(
            "plugins/models/tests/test_llama",
            "plugins/server/tests/test_api_jobs.py",
            "plugins/server/tests/test_security_",
            "plugins/tasks/lm_eval/tests/test_engine.py",
            "plugins/tasks/lm_eval/tests/test_parity.py",
            "plugins/trackers/mlflow_tracker/tests/test_access.py",
            "plugins/trackers/mlflow_tracker/tests/test_broken_deliveries.py",
            "plugins/trackers/mlflow_tracker/tests/test_completeness_tags.py",
            "plugins/trackers/mlflow_tracker/tests/test_conformance.py",
            "plugins/trackers/mlflow_tracker/tests/test_duplicate_runs.py",
            "plugins/trackers/mlflow_tracker/tests/test_faults.py",
            "plugins/trackers/mlflow_tracker/tests/test_hostile.py",
            "plugins/trackers/mlflow_tracker/tests/test_living_run.py",
            "plugins/trackers/mlflow_tracker/tests/test_sqlite_store.py",
            "plugins/trackers/mlflow_tracker/tests/test_traces.py",
            "plugins/trackers/mlflow_tracker/tests/test_traps.py",
            "templates/plugin/tests/test_other_process.py",
            "tests/core/api/test_readonly_journal.py",
            "tests/core/cli/plugin/",
            "tests/core/cli/test_completion.py",
            "tests/core/cli/test_streams.py",
            "tests/core/support/test_process_keeper.py",
            "tests/llmeval/test_notebook.py",
            "tests/test_guide.py",
            "tests/test_site.py",
        ),
    ),
}


def marks_of_file(path: str) -> set[str]:
    """Name the marks that all tests of a file have, by its path from the root."""
    return {mark for mark, need in NEEDS.items() if path.startswith(need.files)}


def marks_of_fixtures(fixtures: Iterable[str]) -> set[str]:
    """Name the marks that a test has by the fixtures that it uses."""
    used = frozenset(fixtures)
    return {mark for mark, need in NEEDS.items() if need.fixtures & used}
