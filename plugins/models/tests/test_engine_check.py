"""What `llmeval doctor` says of the engine."""

from __future__ import annotations

from pathlib import Path

from llmeval_models.engine_check import check_engine

from llmeval_core.hooks import CheckOutcome


def test_the_engine_is_there_with_its_version(tmp_path: Path) -> None:
    outcome = check_engine(tmp_path)

    assert outcome.state == "ok"
    assert outcome.detail.startswith("xllamacpp 20")


def test_a_processor_without_avx2_is_told(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("flags\t\t: fpu sse4_2 avx\n", encoding="utf-8")

    assert check_engine(tmp_path, cpuinfo=cpuinfo) == CheckOutcome(
        "failed", "this processor has no AVX2", "ask a server instead: openai_compatible"
    )
