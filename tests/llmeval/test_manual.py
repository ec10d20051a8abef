"""The manual of `import llmeval` says what is true: its examples run as they stand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.papers import ROOT, blocks

MANUAL = ROOT / "docs" / "python.md"


def test_the_examples_run_one_after_another(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    examples = [block for block in blocks(MANUAL, "python") if block.is_run]

    for example in examples:
        exec(compile(example.text, str(MANUAL), "exec"), names)

    out = capsys.readouterr().out.splitlines()
    assert len(examples) == 6
    assert out[0] == "0.5"
    assert "echo/any faq_1shot_char_f1 " in "\n".join(out)
    assert any(line.startswith("unknown metric 'exact_macth'") for line in out)


def test_every_function_and_every_error_is_in_the_manual() -> None:
    text = MANUAL.read_text(encoding="utf-8")

    for name in ("run", "run_async", "results", "samples"):
        assert f"llmeval.{name}(" in text
    for error in ("LlmevalError", "ConfigError", "UnknownNameError", "RunError"):
        assert f"`{error}`" in text
