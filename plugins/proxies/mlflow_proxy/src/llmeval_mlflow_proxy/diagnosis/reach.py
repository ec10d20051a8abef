"""Can MLflow be reached from here, does it take us, and which version is it?"""

from __future__ import annotations

import re

import aiohttp

from llmeval_mlflow_proxy.client import reason_of
from llmeval_mlflow_proxy.diagnosis.asking import API, Asker
from llmeval_mlflow_proxy.diagnosis.findings import Finding

_TESTED = ((3, 17), (3, 18))
_SEARCH = f"{API}/experiments/search"


async def look_at_server(asker: Asker) -> list[Finding]:
    """Find out whether there is a server, and its version; the first finding is the server's."""
    url = asker.upstream.url
    try:
        version = await asker.get("/version")
    except (aiohttp.ClientError, TimeoutError, OSError) as err:
        values = {"url": url, "reason": reason_of(err)}
        return [Finding("server", "failed", "server.away", values, cure="server.away.cure")]
    findings = [Finding("server", "ok", "server.answers", {"url": url})]
    found = re.fullmatch(r"\s*(\d+)\.(\d+)\.\S+\s*", version.text)
    if version.status != 200 or found is None:
        # A server behind a login may hide it; then the API's answer tells more.
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
        word = "version.untested"
        findings.append(Finding("version", "warning", word, values, cure="version.untested.cure"))
    return findings


async def look_at_access(asker: Asker, origin: str | None) -> list[Finding]:
    """Find out what its checks of host, origin and login say about us.

    Its health check is exempt from them, so an API path is asked.

    Args:
        asker: the server.
        origin: the web origin under which people see us; None if unknown.
    """
    answer = await asker.get(f"{_SEARCH}?max_results=1")
    host = {"host": asker.upstream.host}
    if answer.status == 403 and "Host header" in answer.text:
        return [Finding("host", "failed", "host.refused", host, cure="host.refused.cure")]
    findings = []
    if answer.status == 401:
        is_sent = "login.wrong" if asker.upstream.authorization else "login.missing"
        findings.append(Finding("login", "failed", is_sent, cure="login.cure"))
    elif answer.status == 403:
        findings.append(Finding("login", "failed", "login.forbidden", cure="login.forbidden.cure"))
    elif answer.location is not None:
        values = {"location": answer.location.partition("?")[0]}
        findings.append(
            Finding("login", "failed", "login.elsewhere", values, cure="login.elsewhere.cure")
        )
    elif answer.status != 200 or (not answer.content and answer.text.strip() != "{}"):
        values = {"status": str(answer.status)}
        findings.append(
            Finding("server", "failed", "server.strange", values, cure="server.strange.cure")
        )
    else:
        findings.append(Finding("host", "ok", "host.accepted"))
        word = "login.accepted" if asker.upstream.authorization else "login.none"
        findings.append(Finding("login", "ok", word))
        if origin is not None:
            findings.append(await _look_at_origin(asker, origin))
    return findings


async def _look_at_origin(asker: Asker, origin: str) -> Finding:
    answer = await asker.post(_SEARCH, {"max_results": 1}, Origin=origin)
    word = "origin.refused" if answer.status == 403 else "origin.accepted"
    return Finding("origin", "ok", word, {"origin": origin})
