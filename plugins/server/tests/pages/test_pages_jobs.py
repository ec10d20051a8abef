"""The home page and a job's page, with jobs that wait; those that run are in the browser tests."""

from __future__ import annotations

from pathlib import Path

from llmeval_server.jobs.job_records import Job, JobProgress, TaskProgress
from llmeval_server.pages.job_summary import summarize
from starlette.testclient import TestClient

from plugins.server.tests.pages.showcase import site, tags_of, text_of

RUN = {"model": "tutor/atlas-90", "dataset": "capitals:20", "action": "start"}


def test_a_new_team_is_told_the_first_step(tmp_path: Path) -> None:
    with site(tmp_path / "new") as client:
        html = client.get("/").text

    assert "Nothing evaluated yet" in text_of(html)
    assert "/start" in [a["href"] for a in tags_of(html, "a")]


def test_jobs_stand_on_the_home_page_newest_first(client: TestClient) -> None:
    for number in range(23):
        client.post("/start", data={**RUN, "name": f"try number {number}"}, follow_redirects=False)

    first = client.get("/").text
    older = next(a["href"] for a in tags_of(first, "a") if a.get("rel") == "next")
    second = client.get(older).text

    names = text_of(first)
    assert names.index("try number 22") < names.index("try number 21")
    assert "1 to 20 of 23" in names
    assert "try number 2 " not in names
    assert "try number 2 " in text_of(second)
    assert "queued 23" in names


def test_the_home_page_says_that_no_worker_is_there_and_what_to_do(client: TestClient) -> None:
    client.post("/start", data=RUN)

    shown = text_of(client.get("/").text)

    assert "no worker" in shown
    assert "llmeval worker" in shown


def test_the_home_page_has_the_leaderboard_in_small(client: TestClient) -> None:
    assert "tutor/org/kumo-40" in text_of(client.get("/").text)


def test_live_pages_reload_by_themselves_without_a_script(client: TestClient) -> None:
    job = client.post("/start", data=RUN)

    for html in (job.text, client.get("/").text):
        assert "refresh" in [tag.get("http-equiv") for tag in tags_of(html, "meta")]
        assert tags_of(html, "body")[0]["data-live-ms"]


def test_a_job_that_waits_can_be_cancelled_and_tried_again(client: TestClient) -> None:
    url = str(client.post("/start", data=RUN).url)

    cancelled = client.post(f"{url}/cancel").text
    again = client.post(f"{url}/retry").text

    assert "cancelled" in text_of(cancelled)
    assert "data-live-ms" not in tags_of(cancelled, "body")[0]
    assert "queued" in text_of(again)
    assert "Attempt 2" in text_of(again)


def test_a_job_that_is_not_over_cannot_be_tried_again(client: TestClient) -> None:
    url = str(client.post("/start", data=RUN).url)

    answer = client.post(f"{url}/retry")

    assert answer.status_code == 409
    assert "Not now" in text_of(answer.text)


def test_an_unknown_job_is_a_page_that_says_so(client: TestClient) -> None:
    answer = client.get("/jobs/0123456789abcdef0123")

    assert answer.status_code == 404
    assert "There is nothing here" in text_of(answer.text)


def test_a_hostile_name_is_text(client: TestClient) -> None:
    name = "<script>alert(1)</script><b>bold</b>"
    page = client.post("/start", data={**RUN, "name": name})

    for html in (page.text, client.get("/").text):
        assert name in text_of(html)
        assert not tags_of(html, "b") or "<b>bold" not in html


def task(n_done: int, state: str, **more: object) -> TaskProgress:
    values = {
        "model": "m/x", "task": "t", "n_samples": 100, "n_done": n_done, "n_failed": 0,
        "n_tokens": 0, "n_under_way": 0, "samples_per_s": 0.0, "seconds_left": None, "state": state,
    }  # fmt: skip
    return TaskProgress.model_validate({**values, **more})


def test_the_time_left_is_that_of_the_whole_job() -> None:
    job = Job(id="1", name="n", state="running", run={}, submitted_at=0, started_at=0)
    tasks = (task(50, "running", samples_per_s=10.0, seconds_left=5.0), task(0, "waiting"))

    state = summarize(job, JobProgress(sequence=1, tasks=tasks))

    assert (state.percent, state.seconds_left) == (25, 15.0)


def test_a_job_whose_samples_are_all_done_is_delivering() -> None:
    job = Job(id="1", name="n", state="running", run={}, submitted_at=0)
    done, other = task(100, "finished"), task(99, "running")

    assert summarize(job, JobProgress(sequence=1, tasks=(done, done))).is_delivering
    assert not summarize(job, JobProgress(sequence=1, tasks=(done, other))).is_delivering
    assert not summarize(job, JobProgress(sequence=0)).is_delivering


def test_what_is_not_known_is_not_told() -> None:
    job = Job(id="1", name="n", state="running", run={}, submitted_at=0)
    tasks = (task(50, "running", n_samples=None),)

    state = summarize(job, JobProgress(sequence=1, tasks=tasks))

    assert (state.percent, state.seconds_left, state.elapsed_s) == (None, None, None)
