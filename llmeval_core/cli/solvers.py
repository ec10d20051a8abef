"""`llmeval solvers`: the solvers on offer."""

from __future__ import annotations

from llmeval_core.cli.listing import make_listing

command = make_listing(
    "solvers",
    """List ways to answer with several requests; with NAME, its settings and an example.

    \b
    Examples:
      llmeval solvers
      llmeval solvers self_consistency
    """,
)
