"""A digest of what rows ask beside texts; images may stand in files that no row's digest covers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from llmeval_core.hooks import fingerprint
from llmeval_datasets.rows.interpretation import RowInterpretation
from llmeval_datasets.rows.sample_maker import SampleMaker
from llmeval_datasets.rows.sources import InvalidRow, RowSource
from llmeval_datasets.rows.values import FieldError


def rich_digest(
    maker: SampleMaker, decision: RowInterpretation, sources: Iterable[RowSource]
) -> str:
    """Return a digest of all turns with images or calls of tools; empty if there are none.

    Rows that cannot be read are passed over: they are named when they are asked.
    """
    if decision.messages is None and maker.fields.images is None:
        return ""
    digest, n_found = hashlib.sha256(), 0
    for source in sources:
        for _, row in source.rows():
            if isinstance(row, InvalidRow):
                continue
            try:
                turns = maker.rich_turns(row, decision, source.folder)
            except FieldError:
                continue
            for turn in turns:
                n_found += 1
                digest.update(fingerprint(turn.as_json()).encode())
    return digest.hexdigest() if n_found else ""
