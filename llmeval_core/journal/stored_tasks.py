"""Tasks and answers as the journal has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from llmeval_core.journal import sample_mapping
from llmeval_core.records import Generation, Sample


@dataclass(frozen=True, slots=True)
class StoredTask:
    """A task in the journal.

    Args:
        id: its row.
        metrics: the names of its metrics, in the order in which scores are kept.
    """

    id: int
    fingerprint: str
    model: str
    key: str
    started_at: float
    metrics: tuple[str, ...]


class StoredAnswer(NamedTuple):
    """The answer to a sample of an earlier task that asked the same.

    Args:
        sample: what is kept of the sample that was asked about; see `asks_about`.
        request: fingerprint of the request, 16 bytes.
        generation: the answer.
    """

    sample: sample_mapping.SampleColumns
    request: bytes
    generation: Generation

    def asks_about(self, sample: Sample) -> bool:
        """Say whether it is this sample, as far as the journal keeps samples."""
        return self.sample == sample_mapping.sample_columns(sample)
