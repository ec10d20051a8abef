"""What holds for every page: languages, paths, no inline code, the same look for errors."""

from __future__ import annotations

import json
import re
from pathlib import Path

import llmeval_server.pages
import pytest
from starlette.testclient import TestClient

from plugins.server.tests.pages.showcase import MODELS, site, tags_of, text_of

FOLDER = Path(llmeval_server.pages.__file__).parent
TEMPLATES = sorted((FOLDER / "templates").glob("*.html"))
QUERY = f"model={MODELS[0]}&task=capitals_2shot"
PAGES = [
    "/",
    "/leaderboard?categories=true",
    "/samples",
    f"/samples?{QUERY}&show=wrong",
    f"/samples/one?{QUERY}&index=3",
    "/start",
    "/start?as=text",
    "/login",
    "/nothing",
]


def texts(code: str) -> dict[str, str]:
    found: dict[str, str] = json.loads((FOLDER / f"translations/{code}.json").read_text())
    return found


def test_all_languages_say_the_same_things() -> None:
    english, japanese = texts("en"), texts("ja")

    assert list(english) == list(japanese)
    for key, text in english.items():
        assert sorted(re.findall(r"{\w*}", text)) == sorted(re.findall(r"{\w*}", japanese[key])), (
            key
        )


def test_every_text_is_used_and_every_used_text_is_there() -> None:
    source = "".join(path.read_text() for path in [*TEMPLATES, *FOLDER.glob("*.py")])
    used = set(re.findall(r'"([a-z]+(?:\.\w+)?)"', source.replace("'", '"')))
    made = {key for key in texts("en") if key.startswith(("state.", "error.", "role."))}
    made |= {f"samples.{show}" for show in ("all", "wrong", "failed")}
    made |= {
        f"samples.{way}_{kind}" for way in ("previous", "next") for kind in ("wrong", "failed")
    }
    asked = set(re.findall(r'\bt\(["\']([\w.]+)["\'][,)]', source))

    assert asked <= set(texts("en"))
    assert set(texts("en")) <= used | made


@pytest.mark.parametrize("page", PAGES)
def test_no_page_has_code_or_style_in_it(reading: TestClient, page: str) -> None:
    html = reading.get(page).text

    assert not tags_of(html, "style")
    assert not [tag for tag in tags_of(html, "script") if not tag["src"].startswith("/static/")]
    for tag in re.findall(r"<[a-z][^>]*>", html):
        assert not re.search(r"\s(style|on\w+)=", tag), tag


@pytest.mark.parametrize("page", PAGES)
def test_a_page_can_be_used_without_eyes_and_mouse(reading: TestClient, page: str) -> None:
    html = reading.get(page).text

    assert tags_of(html, "html")[0]["lang"] == "en"
    assert len(tags_of(html, "h1")) == 1
    assert len(tags_of(html, "main")) == 1
    assert tags_of(html, "a")[0]["href"] == "#main"  # the first stop skips the menu
    labelled = re.sub(r"<label.*?</label>", "", html, flags=re.DOTALL)
    bare = [one for one in tags_of(labelled, "input") if one.get("type") != "hidden"]
    assert not [one for one in bare if not one.get("aria-label")]
    assert not [one for one in tags_of(html, "progress") if not one.get("aria-label")]


@pytest.mark.parametrize("page", PAGES)
def test_links_and_forms_stay_below_the_root_path(home: Path, page: str) -> None:
    with site(home, root_path="/team/eval") as client:
        html = client.get(page.lstrip("/")).text

    paths = [
        *(tag["href"] for tag in tags_of(html, "a") + tags_of(html, "link")),
        *(tag["src"] for tag in tags_of(html, "script") + tags_of(html, "img")),
        *(tag["action"] for tag in tags_of(html, "form")),
    ]
    assert [path for path in paths if not path.startswith(("/team/eval/", "#"))] == []


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        ("ja", "ja"),
        ("ja-JP,en;q=0.5", "ja"),
        ("en-GB,ja;q=0.9", "en"),
        ("fr, ja;q=0.3, en;q=0.2", "ja"),
        ("fr", "en"),
        ("ja;q=0, fr", "en"),
        (";;q=x,,", "en"),
    ],
)
def test_the_language_is_what_the_browser_asks_for(
    reading: TestClient, accepted: str, expected: str
) -> None:
    html = reading.get("/", headers={"accept-language": accepted}).text

    assert expected == tags_of(html, "html")[0]["lang"]


def test_the_language_can_be_switched_and_stays(reading: TestClient) -> None:
    html = reading.get("/leaderboard?sort=model").text
    switch = next(a["href"] for a in tags_of(html, "a") if a.get("hreflang") == "ja")

    switched = reading.get(switch).text
    later = reading.get("/start").text

    assert "sort=model" in switch
    assert "リーダーボード" in text_of(switched)
    assert "ジョブを開始" in text_of(later)
    assert "lang=ja" not in "".join(a["href"] for a in tags_of(switched, "a"))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("//elsewhere.example/", "/elsewhere.example/?lang=ja"),
        ("/a%3Fb%20c%22%25", "/a%3Fb%20c%22%25?lang=ja"),
        ("/%5Celsewhere.example", "/%5Celsewhere.example?lang=ja"),
    ],
)
def test_the_language_link_of_an_odd_address_leads_to_no_other_server(
    reading: TestClient, path: str, expected: str
) -> None:
    html = reading.get(f"http://localhost{path}").text
    switch = next(a["href"] for a in tags_of(html, "a") if a.get("hreflang") == "ja")

    assert switch == expected


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("page", PAGES)
def test_every_page_is_there_in_every_language(
    reading: TestClient, page: str, language: str
) -> None:
    answer = reading.get(page, headers={"accept-language": language})

    assert (404 if page == "/nothing" else 200) == answer.status_code
    assert language == tags_of(answer.text, "html")[0]["lang"]


def test_who_is_not_logged_in_gets_the_login_page_and_then_what_was_asked_for(home: Path) -> None:
    with site(home, token="secret-token") as client:
        asked = client.get("/leaderboard?sort=model")
        form = {one["name"]: one.get("value", "") for one in tags_of(asked.text, "input")}
        refused = client.post("/login", data={**form, "token": "wrong"})
        entered = client.post("/login", data={**form, "token": "secret-token"})
        left = client.post("/logout")

    assert asked.url.path == "/login"
    assert "This is not the server's token." in text_of(refused.text)
    assert form["next"] == tags_of(refused.text, "input")[0]["value"]
    assert str(entered.url).endswith("/leaderboard?sort=model")
    assert "Log out" in text_of(entered.text)
    assert left.url.path == "/login"
    assert "secret-token" not in asked.text + refused.text + entered.text


def test_too_many_requests_is_a_page_in_the_same_look(home: Path) -> None:
    with site(home, requests_per_minute=3) as client:
        answers = [client.get("/") for _ in range(8)]

    refused = next(answer for answer in answers if answer.status_code == 429)
    assert "Too many requests" in text_of(refused.text)
    assert tags_of(refused.text, "nav")


def test_static_files_are_served_with_their_types(reading: TestClient) -> None:
    for name, kind in (("style.css", "text/css"), ("icon.svg", "image/svg+xml")):
        assert reading.get(f"/static/{name}").headers["content-type"].startswith(kind)
    assert "javascript" in reading.get("/static/pages.js").headers["content-type"]


def test_a_page_is_sent_anew_when_the_language_changes(reading: TestClient) -> None:
    assert "Accept-Language" in reading.get("/").headers["vary"]
