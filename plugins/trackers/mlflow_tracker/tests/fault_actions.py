"""What can happen to a request on its way to a server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class ProxiedRequest:
    """A request as it arrived.

    Args:
        number: counted from 1.
        method: `GET`, `POST`...
        path: without the query, and without what all of MLflow's paths begin with:
            `runs/create`, `artifacts/0/...`.
        headers: with small letters.
    """

    number: int
    method: str
    path: str
    headers: Mapping[str, str]

    @property
    def name(self) -> str:
        """Method and path; artifacts all have one name."""
        path = "artifacts" if self.path.startswith("artifacts/") else self.path
        return f"{self.method} {path}"


@dataclass(frozen=True, slots=True)
class FaultAction:
    """What happens to a request.

    `pass`; `hang` for ever; `reset` before the server sees it; `late`: hold it until the proxy's
    `let_go`, then pass it; `cut`: the server does it and the answer is lost; `halve`: half of
    the answer is lost; `answer` without asking the server.
    """

    kind: Literal["pass", "hang", "reset", "late", "cut", "halve", "answer"]
    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


PASS = FaultAction("pass")
HANG = FaultAction("hang")
RESET = FaultAction("reset")
LATE = FaultAction("late")
CUT = FaultAction("cut")
HALVE = FaultAction("halve")
HTML = {"Content-Type": "text/html"}
HTTP_200_HTML = FaultAction("answer", 200, b"<html><body>Please log in</body></html>", HTML)
HTTP_401 = FaultAction("answer", 401, b"You are not authenticated.", {"WWW-Authenticate": "Basic"})
HTTP_403_HOST = FaultAction(
    "answer", 403, b"Invalid Host header - possible DNS rebinding attack detected"
)
HTTP_429 = FaultAction("answer", 429, b"", {"Retry-After": "7"})
HTTP_500 = FaultAction("answer", 500, b'{"error_code": "INTERNAL_ERROR", "message": "it broke"}')
HTTP_502_HTML = FaultAction("answer", 502, b"<html><h1>502 Bad Gateway</h1></html>", HTML)

Program = Callable[[ProxiedRequest], FaultAction]


def always(action: FaultAction) -> Program:
    return lambda _: action


def once(action: FaultAction, *, at: int) -> Program:
    """Do something to one request, counted from the proxy's `forget`, and pass the others."""
    return lambda request: action if request.number == at else PASS
