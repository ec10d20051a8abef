"""The sessions that were logged out, content on disk, and the token that sessions belong to."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import logging
import secrets
import threading
from pathlib import Path

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

from llmeval_core.support import write_atomically

FILE = "sessions.json"
MAX_REVOKED = 5000
"""How many revoked sessions are content; one more, and everybody is logged out."""
_SCRYPT_N = 2**14  # about 50 ms

_log = logging.getLogger("llmeval")


class _SessionFile(BaseModel):
    """The content of the file.

    Args:
        generation: part of the key that signs cookies; those of another generation are invalid.
        salt, token: the salted digest of the token that this generation belongs to.
        revoked: when each revoked session would have expired, by the digest of its name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    generation: str
    salt: str
    token: str
    revoked: dict[str, int] = {}


class RevokedSessions:
    """Keeps revoked sessions until they would have expired, also over a restart.

    A new generation invalidates all sessions for good. It begins when the token has changed, even
    if it changes back to an earlier one, when the file is missing or cannot be read, and when
    more than `MAX_REVOKED` sessions were revoked.

    Args:
        home: the folder of the file; only its owner can read it.
        token: the server's token.
    """

    def __init__(self, home: Path, token: SecretStr) -> None:
        self._path = home / FILE
        self._token = token.get_secret_value().encode()
        self._lock = threading.Lock()
        content = self._read()
        if content is None:
            content = self._new_generation()
            with contextlib.suppress(OSError):  # reported at the first logout
                self._write(content)
        self._content = content

    @property
    def generation(self) -> str:
        """The identifier that all valid cookies share."""
        return self._content.generation

    def has(self, session: str) -> bool:
        """Whether a session was revoked."""
        return _digest(session) in self._content.revoked

    def add(self, session: str, *, expires_at: int, now: float) -> None:
        """Revoke a session; blocking.

        Args:
            session: the session's name.
            expires_at: when it would have expired, seconds since 1970.
            now: the time, seconds since 1970.

        Raises:
            OSError: it is revoked, but only until the server restarts.
        """
        with self._lock:
            revoked = {name: at for name, at in self._content.revoked.items() if at > now}
            revoked[_digest(session)] = expires_at
            if len(revoked) > MAX_REVOKED:
                _log.warning("very many sessions were logged out: now all are")
                self._content = self._new_generation()
            else:
                self._content = self._content.model_copy(update={"revoked": revoked})
            self._write(self._content)

    def _read(self) -> _SessionFile | None:
        """Read the file; None if it is not there, not readable, or of another token."""
        try:
            content = _SessionFile.model_validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as err:
            _log.warning("%s cannot be read, so everybody is logged out: %s", FILE, _short(err))
            return None
        same = hmac.compare_digest(content.token, self._digest_of_token(content.salt))
        return content if same else None

    def _new_generation(self) -> _SessionFile:
        salt = secrets.token_hex(16)
        generation = secrets.token_hex(16)
        return _SessionFile(generation=generation, salt=salt, token=self._digest_of_token(salt))

    def _digest_of_token(self, salt: str) -> str:
        return hashlib.scrypt(self._token, salt=salt.encode(), n=_SCRYPT_N, r=8, p=1).hex()

    def _write(self, content: _SessionFile) -> None:
        """Replace the file as a whole, on disk when this returns."""
        write_atomically(self._path, content.model_dump_json(), mode=0o600, durable=True)


def _digest(session: str) -> str:
    return hashlib.sha256(session.encode()).hexdigest()[:32]


def _short(err: Exception) -> str:
    return err.strerror or "no reason" if isinstance(err, OSError) else "it has another content"
