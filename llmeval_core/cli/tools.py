"""`llmeval tools`: the tools on offer."""

from __future__ import annotations

from llmeval_core.cli.listing import make_listing

command = make_listing(
    "tools",
    """List tools that models may call while they answer; with NAME, its settings and an example.

    \b
    Examples:
      llmeval tools
      llmeval tools calculator
    """,
)
