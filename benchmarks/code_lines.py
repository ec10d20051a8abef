"""Lines of code by room: without blank lines, comments and docstrings.

Bar: the pipeline, which is the core without `cli`, `testing` and `api`, has at most 5,000. Run
`python -m benchmarks.code_lines`.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections import Counter
from pathlib import Path

MOST_IN_PIPELINE = 5_000
_CORE = Path("llmeval_core")
_NOT_PIPELINE = frozenset({"cli", "testing", "api"})
_NO_CODE = frozenset(
    {
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENDMARKER,
    }
)


def main() -> None:
    """Count and print."""
    rooms: Counter[str] = Counter()
    for path in sorted(_CORE.rglob("*.py")):
        rooms[path.relative_to(_CORE).parts[0].removesuffix(".py")] += code_lines(path)
    for room, n_lines in rooms.most_common():
        print(f"{n_lines:7,}  {room}")
    pipeline = sum(n for room, n in rooms.items() if room not in _NOT_PIPELINE)
    print(f"{pipeline:7,}  pipeline: without {', '.join(sorted(_NOT_PIPELINE))}", end="")
    print(f" (bar {MOST_IN_PIPELINE:,})")


def code_lines(path: Path) -> int:
    """Count the lines of a file that have code on them."""
    text = path.read_text(encoding="utf-8")
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in _NO_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    return len(lines - _docstring_lines(ast.parse(text)))


def _docstring_lines(tree: ast.Module) -> set[int]:
    """Find the lines of docstrings: of modules, classes, functions, and below a variable."""
    found: set[int] = set()
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        ):
            found.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return found


if __name__ == "__main__":
    main()
