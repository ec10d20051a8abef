"""Questions without one right answer, which flexeval's wheel has: which there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from llmeval_core.hooks import Settings

_MT_BENCH = "Zheng et al. 2023, Judging LLM-as-a-Judge, arXiv 2306.05685"


class ChatBenchmarkSettings(Settings):
    """How much of each conversation is asked."""

    turns: Literal["first", "all"] = Field(
        default="first",
        description="The first question alone; or all of them, for `solver: {use: conversation,"
        " judge: all}`.",
    )


@dataclass(frozen=True, slots=True)
class ChatBenchmark:
    """One set of questions.

    Args:
        name: how it is called.
        summary: one line for lists.
        questions: the file with the questions.
        references: the file with answers to them; None if there is none.
        n_samples: how many questions there are.
        rubric: what they are usually judged by.
        licence: of the questions and references.
        citation: whom to cite.
    """

    name: str
    summary: str
    questions: str
    references: str | None
    n_samples: int
    rubric: str
    licence: str
    citation: str


BENCHMARKS = (
    ChatBenchmark(
        "mt_bench_ja",
        "MT-Bench in Japanese, for judges (80)",
        "mt-ja",
        "mt-ja-ref-gpt4o-with-human-annotation",
        80,
        "ja_quality",
        "Apache-2.0",
        f"Stability AI, Japanese MT-Bench, FastChat jp-stable; {_MT_BENCH}",
    ),
    ChatBenchmark(
        "mt_bench",
        "MT-Bench in English, for judges (80)",
        "mt-en",
        "mt-en-ref-gpt4",
        80,
        "quality",
        "Apache-2.0",
        _MT_BENCH,
    ),
    ChatBenchmark(
        "rakuda",
        "Rakuda, questions on Japan, for judges (40)",
        "rakuda-v2-ja",
        None,
        40,
        "ja_quality",
        "Apache-2.0",
        "YuzuAI, The Rakuda Ranking of Japanese AI, 2023",
    ),
    ChatBenchmark(
        "vicuna_ja",
        "Vicuna's questions in Japanese, for judges (80)",
        "vicuna-ja",
        "vicuna-ja-ref-gpt4",
        80,
        "ja_quality",
        "Apache-2.0",
        "Kyoto University, Japanese Vicuna QA Benchmark, arXiv 2405.11032",
    ),
)
