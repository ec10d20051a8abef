"""What tells the weights in a folder from others: the digest of its files."""

from __future__ import annotations

from pathlib import Path

from llmeval_core.hooks import ConfigError, fingerprint
from llmeval_models.remembered_digest import remembered_sha256

_SUFFIXES = frozenset({".safetensors", ".bin", ".json", ".model", ".jinja", ".txt", ".gguf", ".pt"})


def folder_digest(folder: Path) -> str:
    """Return a fingerprint of a model's weights, settings and tokenizer, over all their bytes.

    Digests of files that did not change are remembered.

    Raises:
        ConfigError: a file cannot be read, or there are none.
    """
    try:
        files = sorted(
            path for path in folder.iterdir() if path.suffix in _SUFFIXES and path.is_file()
        )
        digests = {path.name: remembered_sha256(path) for path in files}
    except OSError as err:
        raise ConfigError(
            f"cannot read the model's folder '{folder}': {err.strerror}",
            hint="it is a folder with config.json and the weights, as `save_pretrained` makes it",
        ) from err
    if "config.json" not in digests:
        raise ConfigError(
            f"the folder '{folder}' has no model: there is no config.json in it",
            hint="it is a folder with config.json and the weights, as `save_pretrained` makes it",
        )
    return fingerprint(dict(digests))
