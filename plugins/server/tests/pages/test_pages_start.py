"""The form that starts a job: what it sends, what it refuses, and that nothing typed is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from plugins.server.tests.pages.showcase import site, tags_of, text_of

FILLED = {
    "model": ["tutor/atlas-90", "", "tutor/kumo-40"],
    "dataset": ["capitals:20", "ja_readings:4"],
    "shots": "0, 2",
    "limit": "7",
    "concurrency": "3",
    "max_tokens": "12",
    "budget": "9000",
    "metric": ["exact", ""],
    "name": "a try",
}


def press(client: TestClient, action: str, **fields: object) -> str:
    """Fill in the form and press a button; returns the page."""
    answer = client.post("/start", data={**FILLED, **fields, "action": action})
    return answer.text


def test_the_form_becomes_a_job(client: TestClient) -> None:
    answer = client.post("/start", data={**FILLED, "action": "start"}, follow_redirects=False)
    job = client.get(f"/api/v1{answer.headers['location']}").json()

    assert answer.status_code == 303
    assert job["name"] == "a try"
    assert job["state"] == "queued"
    assert job["run"]["models"] == [{"name": "tutor/atlas-90"}, {"name": "tutor/kumo-40"}]
    assert job["run"]["tasks"][1]["shots"] == [0, 2]
    assert job["run"]["tasks"][1]["dataset"]["use"] == "ja_readings:4"
    assert (job["run"]["limit"], job["run"]["concurrency"]) == (7, 3)
    assert job["run"]["generation"] == {"max_tokens": 12}
    assert job["run"]["budget"] == {"tokens": 9000}
    assert job["run"]["metrics"] == [{"use": "exact"}]


def test_a_run_file_becomes_a_job(client: TestClient) -> None:
    text = "models: [tutor/atlas-90]\r\ntasks: [{dataset: capitals}]\r\n"

    answer = client.post("/start", data={"text": text, "action": "start"})

    assert answer.status_code == 200
    assert "/jobs/" in str(answer.url)
    assert "tutor/atlas-90 · capitals" in text_of(answer.text)


def test_an_error_is_told_as_the_command_line_tells_it_and_keeps_what_was_typed(
    client: TestClient,
) -> None:
    answer = client.post("/start", data={**FILLED, "model": "tuter/x", "action": "start"})
    shown = text_of(answer.text)
    inputs = tags_of(answer.text, "input")

    assert answer.status_code == 422
    assert "unknown model provider 'tuter' where models[0]" in shown
    assert "did you mean 'tutor'?" in shown
    values = {(one.get("name"), one.get("value")) for one in inputs}
    assert {("model", "tuter/x"), ("dataset", "ja_readings:4"), ("shots", "0, 2")} <= values
    wrong = [one["name"] for one in inputs if one.get("aria-invalid") == "true"]
    assert wrong == ["model"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"limit": "many"}, "limit"),
        ({"shots": "0, x"}, "shots"),
        ({"dataset": "capitls"}, "dataset"),
        ({"metric": "exakt"}, "metric"),
        ({"max_tokens": "0"}, "max_tokens"),
        ({"concurrency": "-1"}, "concurrency"),
    ],
)
def test_the_field_that_is_wrong_is_marked(
    client: TestClient, changes: dict[str, str], field: str
) -> None:
    inputs = tags_of(press(client, "start", **changes), "input")

    assert {field} == {one["name"] for one in inputs if one.get("aria-invalid") == "true"}


@pytest.mark.parametrize(
    "data",
    [
        {"action": "start"},
        {"action": "start", "text": "models: ["},
        {"action": "start", "text": "\x00"},
        {"action": "start", "model": "<script>alert(1)</script>/x", "dataset": "'\"><b>"},
        {"action": "dance"},
        {},
    ],
)
def test_nonsense_is_refused_at_the_form(client: TestClient, data: dict[str, str]) -> None:
    answer = client.post("/start", data=data)

    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert not [tag for tag in tags_of(answer.text, "script") if "src" not in tag]
    assert not tags_of(answer.text, "b")


def test_the_plan_tells_what_would_be_sent_and_sends_nothing(
    client: TestClient, home: Path
) -> None:
    models = ["tutor/atlas-90", "tutor/other-10"]
    html = press(client, "plan", model=models, dataset="capitals:130", max_tokens="")
    shown = text_of(html)

    assert "tutor/atlas-90 capitals_0shot 7 7 0" in shown  # all answered before
    assert "tutor/other-10 capitals_2shot 7 0 7" in shown
    assert "Nothing was sent." in shown
    assert client.get("/api/v1/jobs").json()["n_jobs"] == 0


def test_the_form_goes_on_as_a_run_file(client: TestClient) -> None:
    html = press(client, "text")

    assert "- tutor/kumo-40" in text_of(html)
    assert "max_tokens: 12" in text_of(html)
    assert tags_of(html, "textarea")


def test_more_rows_keep_what_stands_in_the_others(client: TestClient) -> None:
    rows = [one for one in tags_of(press(client, "rows"), "input") if one.get("name") == "model"]

    assert [one["value"] for one in rows] == ["tutor/atlas-90", "tutor/kumo-40", "", "", ""]


def test_a_job_can_be_changed_and_started_again(client: TestClient) -> None:
    page = client.post("/start", data={**FILLED, "action": "start"})
    again = (
        next(a["href"] for a in tags_of(page.text, "a") if "job=" in a.get("href", "x"))
        if ("job=" in page.text)
        else f"/start?job={str(page.url).rpartition('/')[2]}"
    )

    html = client.get(again).text

    assert "name: tutor/kumo-40" in text_of(html)


def test_a_form_of_another_site_is_refused(client: TestClient) -> None:
    answer = client.post(
        "/start", data={**FILLED, "action": "start"}, headers={"origin": "http://evil.example"}
    )

    assert answer.status_code == 403
    assert client.get("/api/v1/jobs").json()["n_jobs"] == 0


def test_everything_on_offer_is_suggested(tmp_path: Path) -> None:
    with site(tmp_path / "new") as client:
        options = {one.get("value") for one in tags_of(client.get("/start").text, "option")}

    assert {"tutor/", "capitals:", "hostile", "exact"} <= options


def test_the_plan_shows_what_looks_wrong_with_the_samples(client: TestClient) -> None:
    form = {"model": "tutor/atlas-90", "dataset": "capitals:20", "action": "plan"}
    text = {
        "text": "models: [tutor/atlas-90]\ntasks:\n  - dataset: capitals:20\n"
        "    shots: [0]\n    prompt: {template: the same}\n",
        "action": "plan",
    }

    usual = text_of(client.post("/start", data=form).text)
    same = text_of(client.post("/start", data=text).text)

    assert "make only" not in usual
    assert "20 samples make only 1 different request" in same
