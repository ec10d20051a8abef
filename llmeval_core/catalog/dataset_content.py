"""What a data set says of its content, checked before it goes into fingerprints."""

from __future__ import annotations

from llmeval_core.contracts import Dataset


def size_and_fingerprint(dataset: Dataset) -> tuple[int | None, str]:
    """Ask a data set how many samples it has, and for a digest of them.

    Raises:
        TypeError: it gives something else.
    """
    size: object = dataset.size()
    content: object = dataset.fingerprint()
    if size is not None and (not isinstance(size, int) or isinstance(size, bool) or size < 0):
        raise TypeError(f"size() gave {size!r}, which is no number of samples")
    if not isinstance(content, str):
        raise TypeError(f"fingerprint() gave a {type(content).__name__}, not a text")
    return size, content
