"""New answers to what the journal has an old answer to, until the sample that asked has ended.

    expected ──the model answers──▶ held here ──a sample that asked ends well──▶ kept
        │                             │            (in the journal, instead of the old one)
        └── no answer                 └── no such sample ends well: the old one stays

Who asks anew takes what is held or kept here. Everybody else takes what is kept, else the
journal's, so that what is only held decides no other sample. What is kept is remembered for the
whole run: the journal has the old answer until its writer has come to it.
"""

from __future__ import annotations

import time

from llmeval_core.journal import Journal
from llmeval_core.records import Generation, Request


class RenewedAnswers:
    """The renewed answers of one model in one run.

    Args:
        journal: what has the old ones.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._expected: set[str] = set()
        self._new: dict[str, Generation] = {}
        self._held: dict[str, tuple[Request, Request | None]] = {}
        self._kept_at: dict[str, float] = {}

    def get(self, fingerprint: str) -> Generation | None:
        """Return the new answer to a request; None if there is none yet."""
        return self._new.get(fingerprint)

    def kept(self, fingerprint: str) -> Generation | None:
        """Return the new answer to a request, if it is kept; None else."""
        return self._new[fingerprint] if fingerprint in self._kept_at else None

    def expect(self, fingerprint: str) -> None:
        """Note that a request is asked anew."""
        self._expected.add(fingerprint)

    def is_expected(self, fingerprint: str) -> bool:
        """Whether an answer to a request would be a new one."""
        return fingerprint in self._expected

    def forget(self, fingerprint: str) -> None:
        """Note that asking ended, with an answer or without."""
        self._expected.discard(fingerprint)

    def hold(self, request: Request, answer: Generation, *, parent: Request | None) -> None:
        """Hold a new answer; `parent` is an answered request with whose messages it begins."""
        self._new[request.fingerprint] = answer
        self._held[request.fingerprint] = request, parent

    def keep(self, fingerprint: str) -> None:
        """Put a new answer in the place of the old one, if it is held; a sample ended with it."""
        held = self._held.pop(fingerprint, None)
        if held is not None:
            request, parent = held
            answer = self._new[fingerprint]
            self._journal.put_answer(request, answer, parent=parent, is_again=True)
            self._kept_at[fingerprint] = time.monotonic()

    def was_kept_since(self, fingerprint: str, moment: float) -> bool:
        """Whether the old answer went after a moment of the monotonic clock."""
        return self._kept_at.get(fingerprint, float("-inf")) >= moment
