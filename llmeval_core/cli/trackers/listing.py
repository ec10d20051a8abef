"""`llmeval trackers [list] [NAME]`: the trackers on offer."""

from __future__ import annotations

from llmeval_core.cli.listing import make_listing

command = make_listing(
    "trackers",
    """List trackers; with NAME, its settings and an example.

    \b
    Examples:
      llmeval trackers
      llmeval trackers mlflow
    """,
)
