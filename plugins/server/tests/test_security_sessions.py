"""A session that was logged out stays logged out: after a restart, and with an old token."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from llmeval_server.security import revoked_sessions
from llmeval_server.security.revoked_sessions import FILE, RevokedSessions
from llmeval_server.security.session_cookies import LIFETIME_S, SessionCookies
from pydantic import SecretStr
from starlette.testclient import TestClient

from plugins.server.tests.pages.showcase import site

TOKEN = "correct-horse-battery-staple"


class ManualClock:
    """A clock that is set by hand."""

    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def sessions(home: Path, token: str = TOKEN, clock: ManualClock | None = None) -> SessionCookies:
    """Make sessions as a server that starts does."""
    secret = SecretStr(token)
    return SessionCookies(secret, RevokedSessions(home, secret), now=clock or ManualClock())


@contextmanager
def browser(home: Path, token: str = TOKEN) -> Iterator[TestClient]:
    """Give a browser at a server that was just started."""
    with site(home, token=token) as client:
        yield client


def log_in(client: TestClient, token: str = TOKEN) -> dict[str, str]:
    """Log in, and return the cookie to send by hand."""
    answer = client.post("/login", data={"token": token}, follow_redirects=False)
    client.cookies.clear()
    return {"cookie": answer.headers["set-cookie"].partition(";")[0]}


def is_in(client: TestClient, cookie: dict[str, str]) -> bool:
    """Say whether a cookie opens the API."""
    client.cookies.clear()
    return client.get("/api/v1/jobs", headers=cookie).status_code == 200


def test_a_logged_out_cookie_stays_logged_out_after_a_restart(tmp_path: Path) -> None:
    with browser(tmp_path) as client:
        left, stays = log_in(client), log_in(client)
        assert (is_in(client, left), is_in(client, stays)) == (True, True)

        client.post("/logout", headers=left)

        assert (is_in(client, left), is_in(client, stays)) == (False, True)
    with browser(tmp_path) as client:
        assert (is_in(client, left), is_in(client, stays)) == (False, True)


def test_another_token_logs_everybody_out_for_good(tmp_path: Path) -> None:
    with browser(tmp_path) as client:
        cookie = log_in(client)
    with browser(tmp_path, "another-token") as client:
        assert not is_in(client, cookie)

    with browser(tmp_path) as client:  # the first token again
        assert not is_in(client, cookie)
        assert is_in(client, log_in(client))


def test_a_logout_that_cannot_be_kept_says_so_and_takes_the_cookie(tmp_path: Path) -> None:
    with browser(tmp_path) as client:
        cookie = log_in(client)
        (tmp_path / FILE).unlink()
        (tmp_path / FILE).mkdir()  # in the way of the file

        answer = client.post("/logout", headers=cookie, follow_redirects=False)

        assert answer.status_code == 503
        assert "logged out, but only until the server starts again" in answer.text
        assert "Max-Age=0" in answer.headers["set-cookie"]
        assert not is_in(client, cookie)


def test_the_records_are_for_their_owner_and_say_nothing_of_token_or_cookie(
    tmp_path: Path,
) -> None:
    ours = sessions(tmp_path)
    cookie = ours.issue()
    ours.revoke(cookie)

    file = tmp_path / FILE

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    for secret in (TOKEN, cookie, cookie.split(".")[1]):
        assert secret not in file.read_text()


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b'{"generation": 1}'])
def test_records_that_cannot_be_read_log_everybody_out(tmp_path: Path, content: bytes) -> None:
    cookie = sessions(tmp_path).issue()
    (tmp_path / FILE).write_bytes(content)

    ours = sessions(tmp_path)

    assert not ours.is_valid(cookie)
    assert ours.is_valid(ours.issue())


def test_records_do_not_grow_for_ever(tmp_path: Path) -> None:
    clock = ManualClock()
    ours = sessions(tmp_path, clock=clock)
    for _ in range(3):
        ours.revoke(ours.issue())
    grown = (tmp_path / FILE).stat().st_size

    clock.now += LIFETIME_S + 1
    ours.revoke(ours.issue())

    assert (tmp_path / FILE).stat().st_size < grown


def test_when_too_many_log_out_everybody_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revoked_sessions, "MAX_REVOKED", 2)
    ours = sessions(tmp_path)
    stays = ours.issue()
    ended = [ours.issue() for _ in range(3)]

    for cookie in ended:
        ours.revoke(cookie)

    again = sessions(tmp_path)
    assert not any(one.is_valid(cookie) for one in (ours, again) for cookie in [stays, *ended])


def test_what_was_not_valid_is_not_remembered(tmp_path: Path) -> None:
    ours = sessions(tmp_path)
    before = (tmp_path / FILE).read_bytes()

    for value in ("", ".", "9999999999.x.y", ours.issue() + "x"):
        ours.revoke(value)

    assert (tmp_path / FILE).read_bytes() == before
