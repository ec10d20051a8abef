"""`llmeval tasks`: the ready-made tasks on offer."""

from __future__ import annotations

from llmeval_core.cli.listing import make_listing

command = make_listing(
    "tasks",
    """List tasks with prompts and scores of their own; with NAME, its settings and an example.

    \b
    Examples:
      llmeval tasks
      llmeval tasks repeating
    """,
)
