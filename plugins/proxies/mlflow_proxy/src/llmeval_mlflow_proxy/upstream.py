"""The server that a proxy forwards requests to, and how the proxy learns of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class Upstream:
    """A server that should be running.

    Args:
        url: scheme, host, port and base path; no login, no slash at the end.
        host: the Host header it is asked with.
        authorization: the Authorization header it is asked with; a secret.
        ca_file: certificates to trust besides the usual ones; None for none.
        verify_tls: False trusts any certificate.
    """

    url: str
    host: str
    authorization: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    verify_tls: bool = True


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Why there is no server to forward to.

    Args:
        state: `starting`: it will run in a moment; `failed`: it should run and does not;
            `none`: nothing is configured that could be shown.
        reason: what is known, one line.
        hint: what to try; None if there is nothing but to wait.
    """

    state: Literal["starting", "failed", "none"]
    reason: str
    hint: str | None = None


class UpstreamProvider(Protocol):
    """Says which server requests are forwarded to at this moment."""

    def upstream(self) -> Upstream | Unavailable:
        """Return the server, or why there is none now."""

    async def start(self, home: Path) -> None:
        """Start what has to be started, in the background."""

    async def stop(self) -> None:
        """End what was started."""


@dataclass(frozen=True, slots=True)
class FixedUpstream:
    """A server that runs elsewhere, or the reason why there will be none."""

    known: Upstream | Unavailable

    def upstream(self) -> Upstream | Unavailable:
        """Return what is configured."""
        return self.known

    async def start(self, home: Path) -> None:
        """Do nothing: it runs elsewhere."""

    async def stop(self) -> None:
        """Do nothing: it runs elsewhere."""
