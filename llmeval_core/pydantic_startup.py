"""pydantic made ready, although the metadata of some distribution cannot be read."""

from __future__ import annotations

from pydantic import create_model

from llmeval_core.errors import must_propagate


def ready_pydantic() -> None:
    """Let pydantic look for its own plugins now, and pass over what stops it.

    It looks when the first model class of a process is made, with
    `importlib.metadata.entry_points()`, which raises if one distribution of anybody is in
    disorder; nothing that uses pydantic could then be imported. It looks only once, so that call
    this before the first class (`pydantic/plugin/_loader.py`, as of 2.12).
    """
    try:
        create_model("First")
    except BaseException as err:  # boundary: anybody's metadata, and pydantic's plugins
        if must_propagate(err):
            raise
