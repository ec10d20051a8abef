"""Whether MLflow can be reached, whether it accepts our requests, and its version."""

from __future__ import annotations

import re

import aiohttp

from llmeval_mlflow_proxy.diagnosis.findings import Finding
from llmeval_mlflow_proxy.diagnosis.mlflow_api import API, MlflowApi
from llmeval_mlflow_proxy.http_client import reason_of

_TESTED = ((3, 17), (3, 18))
_SEARCH = f"{API}/experiments/search"


async def look_at_server(client: MlflowApi) -> list[Finding]:
    """Check whether a server answers, and its version; the first finding is the server's."""
    url = client.upstream.url
    try:
        version = await client.get("/version")
    except (aiohttp.ClientError, TimeoutError, OSError) as err:
        values = {"url": url, "reason": reason_of(err)}
        return [Finding("server", "failed", "server.away", values, remedy="server.away.remedy")]
    findings = [Finding("server", "ok", "server.answers", {"url": url})]
    found = re.fullmatch(r"\s*(\d+)\.(\d+)\.\S+\s*", version.text)
    if version.status != 200 or found is None:
        # A server behind a login may hide its version; the API's response then tells more.
        findings.append(Finding("version", "warning", "version.unknown"))
        return findings
    is_tested = _TESTED[0] <= (int(found[1]), int(found[2])) <= _TESTED[1]
    values = {
        "version": version.text.strip(),
        "tested": " - ".join(f"{major}.{minor}" for major, minor in _TESTED),
    }
    if is_tested:
        findings.append(Finding("version", "ok", "version.tested", values))
    else:
        text_key = "version.untested"
        findings.append(
            Finding("version", "warning", text_key, values, remedy="version.untested.remedy")
        )
    return findings


async def look_at_access(client: MlflowApi, origin: str | None) -> list[Finding]:
    """Check whether its checks of host, origin and login accept our requests.

    Its health check is exempt from them, so a path of the API is requested.

    Args:
        client: for the server.
        origin: the web origin under which people see us; None if unknown.
    """
    answer = await client.get(f"{_SEARCH}?max_results=1")
    host = {"host": client.upstream.host}
    if answer.status == 403 and "Host header" in answer.text:
        return [Finding("host", "failed", "host.refused", host, remedy="host.refused.remedy")]
    findings = []
    if answer.status == 401:
        is_sent = "login.wrong" if client.upstream.authorization else "login.missing"
        findings.append(Finding("login", "failed", is_sent, remedy="login.remedy"))
    elif answer.status == 403:
        findings.append(
            Finding("login", "failed", "login.forbidden", remedy="login.forbidden.remedy")
        )
    elif answer.location is not None:
        values = {"location": answer.location.partition("?")[0]}
        findings.append(
            Finding("login", "failed", "login.elsewhere", values, remedy="login.elsewhere.remedy")
        )
    elif answer.status != 200 or (not answer.content and answer.text.strip() != "{}"):
        values = {"status": str(answer.status)}
        findings.append(
            Finding("server", "failed", "server.strange", values, remedy="server.strange.remedy")
        )
    else:
        findings.append(Finding("host", "ok", "host.accepted"))
        text_key = "login.accepted" if client.upstream.authorization else "login.none"
        findings.append(Finding("login", "ok", text_key))
        if origin is not None:
            findings.append(await _look_at_origin(client, origin))
    return findings


async def _look_at_origin(client: MlflowApi, origin: str) -> Finding:
    answer = await client.post(_SEARCH, {"max_results": 1}, Origin=origin)
    text_key = "origin.refused" if answer.status == 403 else "origin.accepted"
    return Finding("origin", "ok", text_key, {"origin": origin})
