"""What a server keeps of its sessions: which were logged out, and of which token they are."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import logging
import os
import secrets
import threading
from pathlib import Path

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

FILE = "sessions.json"
MOST_ENDED = 5000
"""How many logged-out sessions are remembered; one more, and everybody is logged out."""
_WORK = 2**14  # of scrypt: about 50 ms

_log = logging.getLogger("llmeval")


class _Kept(BaseModel):
    """The file.

    Args:
        generation: goes into the key of cookies; those of another generation are not ours.
        salt, token: tell whether the token is still the one of this generation.
        ended: until when a session would have lasted, by the digest of what its cookie says.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    generation: str
    salt: str
    token: str
    ended: dict[str, int] = {}


class SessionRecords:
    """Remembers logged-out sessions for as long as they would have lasted, also over a restart.

    A new generation logs everybody out for good: it begins when the token is another one than
    before, also if it is that of the day before yesterday, when the file is gone or cannot be
    read, and when more sessions were logged out than are remembered.

    Args:
        home: the folder of the file; only its owner can read it.
        token: the server's.
    """

    def __init__(self, home: Path, token: SecretStr) -> None:
        self._path = home / FILE
        self._token = token.get_secret_value().encode()
        self._lock = threading.Lock()
        kept = self._read()
        if kept is None:
            kept = self._new_generation()
            with contextlib.suppress(OSError):  # told at the first logout
                self._write(kept)
        self._kept = kept

    @property
    def generation(self) -> str:
        """What all cookies of now have in common."""
        return self._kept.generation

    def has_ended(self, session: str) -> bool:
        """Say whether a session was logged out."""
        return _digest(session) in self._kept.ended

    def end(self, session: str, *, until: int, now: float) -> None:
        """Remember that a session was logged out; blocking.

        Args:
            session: what its cookie says.
            until: when it would have ended, seconds since 1970.
            now: the time, seconds since 1970.

        Raises:
            OSError: it is logged out, but the next start of the server will not know it.
        """
        with self._lock:
            ended = {one: end for one, end in self._kept.ended.items() if end > now}
            ended[_digest(session)] = until
            if len(ended) > MOST_ENDED:
                _log.warning("very many sessions were logged out: now all are")
                self._kept = self._new_generation()
            else:
                self._kept = self._kept.model_copy(update={"ended": ended})
            self._write(self._kept)

    def _read(self) -> _Kept | None:
        """Read the file; None if it is not there, not readable, or of another token."""
        try:
            kept = _Kept.model_validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as err:
            _log.warning("%s cannot be read, so everybody is logged out: %s", FILE, _short(err))
            return None
        same = hmac.compare_digest(kept.token, self._digest_of_token(kept.salt))
        return kept if same else None

    def _new_generation(self) -> _Kept:
        salt = secrets.token_hex(16)
        generation = secrets.token_hex(16)
        return _Kept(generation=generation, salt=salt, token=self._digest_of_token(salt))

    def _digest_of_token(self, salt: str) -> str:
        return hashlib.scrypt(self._token, salt=salt.encode(), n=_WORK, r=8, p=1).hex()

    def _write(self, kept: _Kept) -> None:
        """Replace the file as a whole, on disk when this returns."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        draft = self._path.with_suffix(".new")
        with contextlib.suppress(FileNotFoundError):
            draft.unlink()
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(kept.model_dump_json())
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._path)


def _digest(session: str) -> str:
    return hashlib.sha256(session.encode()).hexdigest()[:32]


def _short(err: Exception) -> str:
    return err.strerror or "no reason" if isinstance(err, OSError) else "it is not what we wrote"
