"""What travels through the proxy, and what it turns into."""

from __future__ import annotations

import base64

import pytest
from yarl import URL

from plugins.proxies.mlflow_proxy.tests.conftest import Proxying
from plugins.proxies.mlflow_proxy.tests.raw_upstream import plain


@pytest.mark.parametrize(
    "rest",
    [
        "/a%2Fb/c%252Fd/%E8%A1%A8.json?q=%26%20%2B&r=a+b&%E8%A1%A8=%e8%a1%a8",
        "/api/2.0/x?filter=params.a%20%3D%20'b'&filter=&&=",
        "/a;b=c/d,e/@:!$'()*~",
        "//double//slash/",
        "/%41%7e",
    ],
)
async def test_path_and_query_arrive_byte_for_byte(proxying: Proxying, rest: str) -> None:
    async with proxying(plain()) as proxied:
        await proxied.ask("GET", rest)

        assert proxied.upstream.last.target == rest


async def test_an_encoded_prefix_and_a_base_path_are_understood(proxying: Proxying) -> None:
    async with proxying(plain(), base="/team%20a/mlflow/") as proxied:
        proxied.url = proxied.url.replace("proxy-mlflow", "pro%78y%2Dmlflow")
        await proxied.ask("GET", "/a%2Fb")

        assert proxied.upstream.last.target == "/team%20a/mlflow/a%2Fb"


async def test_headers_of_one_hop_end_at_the_proxy(proxying: Proxying) -> None:
    hop = (
        "Connection: X-Secret, close\nX-Secret: 1\nKeep-Alive: 5\nProxy-Authenticate: a\nX-Kept: 2"
    )
    async with proxying(plain(hop)) as proxied:
        sent = {"Connection": "x-mine", "X-Mine": "1", "TE": "trailers", "Upgrade": "h2c"}
        sent |= {"Proxy-Authorization": "Basic eA==", "X-Other": "日本"}
        answer = await proxied.ask("GET", "/", headers=sent)

        names = {name for name, _ in proxied.upstream.last.headers}
        assert not names & {"x-mine", "te", "upgrade", "proxy-authorization"}
        assert proxied.upstream.last.values("x-other") == ["日本"]
        assert answer.headers["X-Kept"] == "2"
        assert not {"X-Secret", "Keep-Alive", "Proxy-Authenticate"} & set(answer.headers)


async def test_forwarded_headers_tell_of_the_real_peer_only(proxying: Proxying) -> None:
    claims = {
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Port": "1",
        "Forwarded": "for=1.2.3.4",
        "X-Real-IP": "1.2.3.4",
        "Origin": "http://evil.example",
        "Referer": "http://evil.example/",
    }
    async with proxying(plain()) as proxied:
        await proxied.ask("GET", "/", headers=claims)

        last = proxied.upstream.last
        host = URL(proxied.url).authority
        assert last.values("x-forwarded-for") == ["127.0.0.1"]
        assert last.values("x-forwarded-host") == [host]
        assert last.values("x-forwarded-proto") == ["http"]
        assert last.values("x-forwarded-prefix") == ["/proxy-mlflow"]
        assert last.values("host") == [URL(proxied.upstream.url).authority]
        assert not {"forwarded", "x-forwarded-port", "x-real-ip", "origin", "referer"} & {
            name for name, _ in last.headers
        }


async def test_our_logins_stay_with_us(proxying: Proxying) -> None:
    ours = {"Authorization": "Bearer our-token", "Cookie": "llmeval_session=s; theirs=1; other=2"}
    async with proxying(plain("WWW-Authenticate: Basic\nSet-Cookie: llmeval_session=x")) as proxied:
        answer = await proxied.ask("GET", "/", headers=ours)

        assert proxied.upstream.last.values("authorization") == []
        assert proxied.upstream.last.values("cookie") == ["theirs=1; other=2"]
        assert "WWW-Authenticate" not in answer.headers
        assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    ("environ", "login"),
    [
        ({"MLFLOW_TRACKING_USERNAME": "ann", "MLFLOW_TRACKING_PASSWORD": "p:w"}, "Basic ann:p:w"),
        ({"MLFLOW_TRACKING_TOKEN": "secret"}, "Bearer secret"),
    ],
)
async def test_mlflows_login_goes_upstream(
    proxying: Proxying, environ: dict[str, str], login: str
) -> None:
    async with proxying(plain(), environ=environ) as proxied:
        await proxied.ask("GET", "/", headers={"Authorization": "Bearer our-token"})

        kind, _, value = login.partition(" ")
        expected = base64.b64encode(value.encode()).decode() if kind == "Basic" else value
        assert proxied.upstream.last.values("authorization") == [f"{kind} {expected}"]


async def test_each_cookie_is_kept_and_scoped_to_the_prefix(proxying: Proxying) -> None:
    cookies = (
        "Set-Cookie: a=1; Path=/; HttpOnly\n"
        "Set-Cookie: b=2, with=comma; Path=/deep; Domain=mlflow.internal; SameSite=Lax\n"
        "Set-Cookie: c=3"
    )
    async with proxying(plain(cookies)) as proxied:
        answer = await proxied.ask("GET", "/")

        assert answer.headers.getall("Set-Cookie") == [
            "a=1; Path=/proxy-mlflow/; HttpOnly",
            "b=2, with=comma; Path=/proxy-mlflow/deep; SameSite=Lax",
            "c=3; Path=/proxy-mlflow",
        ]


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ("/login?next=%2F", "/proxy-mlflow/login?next=%2F"),
        ("{url}/login#x", "/proxy-mlflow/login#x"),
        ("{url}", "/proxy-mlflow/"),
        ("//{host}/a", "/proxy-mlflow/a"),
        ("next/page", "next/page"),
        ("?page=2", "?page=2"),
        ("https://sso.example/login", "https://sso.example/login"),
        ("//sso.example/login", "//sso.example/login"),
    ],
)
async def test_redirects_of_the_upstream_lead_through_the_proxy(
    proxying: Proxying, said: str, heard: str
) -> None:
    location = ""

    async def redirect(exchange: object) -> None:
        await plain(f"Location: {location}", status="302 Found")(exchange)  # type: ignore[arg-type]

    async with proxying(redirect) as proxied:
        location = said.format(url=proxied.upstream.url, host=URL(proxied.upstream.url).authority)
        answer = await proxied.ask("GET", "/")

        assert (answer.status, answer.headers["Location"]) == (302, heard)


async def test_a_base_path_of_the_upstream_is_taken_off_its_redirects(proxying: Proxying) -> None:
    async with proxying(
        plain("Location: /team/login", status="302 Found"), base="/team"
    ) as proxied:
        answer = await proxied.ask("GET", "/")

        assert answer.headers["Location"] == "/proxy-mlflow/login"


@pytest.mark.parametrize(
    ("root_path", "claim"), [("/llmeval", None), ("", "/llmeval"), ("/llmeval", "/llmeval")]
)
async def test_a_sub_path_is_part_of_every_address(
    proxying: Proxying, root_path: str, claim: str | None
) -> None:
    said = plain("Location: /x\nSet-Cookie: a=1; Path=/", status="302 Found")
    headers = {} if claim is None else {"X-Forwarded-Prefix": claim}
    async with proxying(said, root_path=root_path) as proxied:
        answer = await proxied.ask("GET", "/a%2Fb", headers=headers)

        assert answer.headers["Location"] == "/llmeval/proxy-mlflow/x"
        assert answer.headers["Set-Cookie"] == "a=1; Path=/llmeval/proxy-mlflow/"
        assert proxied.upstream.last.target == "/a%2Fb"
        assert proxied.upstream.last.values("x-forwarded-prefix") == ["/llmeval/proxy-mlflow"]


@pytest.mark.parametrize("claim", ["//evil.example", "/a\\b", "javascript:x", "/a/../b c"])
async def test_a_forged_prefix_is_ignored(proxying: Proxying, claim: str) -> None:
    async with proxying(plain("Location: /x", status="302 Found")) as proxied:
        answer = await proxied.ask("GET", "/", headers={"X-Forwarded-Prefix": claim})

        assert answer.headers["Location"] == "/proxy-mlflow/x"


async def test_the_bare_prefix_leads_to_the_slash(proxying: Proxying) -> None:
    async with proxying(plain()) as proxied:
        answer = await proxied.ask("POST", "?a=b")

        assert answer.status == 307
        assert answer.headers["Location"].removesuffix("/?a=b").endswith("proxy-mlflow")
        assert proxied.upstream.exchanges == []


async def test_cookies_of_one_visitor_are_not_sent_for_another(proxying: Proxying) -> None:
    async with proxying(plain("Set-Cookie: who=ann; Path=/")) as proxied:
        await proxied.ask("GET", "/")
        proxied.session.cookie_jar.clear()
        await proxied.ask("GET", "/")

        assert proxied.upstream.last.values("cookie") == []
