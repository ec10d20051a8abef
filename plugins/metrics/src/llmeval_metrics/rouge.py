"""rouge, by rouge-score."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from llmeval_core.hooks import ConfigError, Sample, Score, Settings
from llmeval_metrics.per_text import TextMetric


class RougeSettings(Settings):
    """Which ROUGE, over which tokens."""

    kind: Literal["rouge1", "rouge2", "rougeL"] = Field(
        default="rougeL", description="Unigrams, bigrams, or the longest common subsequence."
    )
    tokenizer: Literal["default", "char", "ja"] = Field(
        default="default",
        description="default keeps a-z and digits only, so Japanese gets 0; char; ja (fugashi).",
    )
    stemmer: bool = Field(default=False, description="Porter stemmer, with the default tokenizer.")


class Rouge(TextMetric):
    """The best ROUGE F-measure with a reference, 0 to 1, averaged over samples.

    Source: Lin (2004), as google-research's rouge-score 0.1.2 computes it. Other tokens than its
    own are a deviation, named in the definition id.

    Raises:
        ConfigError: rouge-score is not installed, or fugashi for `tokenizer: ja`.
    """

    def __init__(self, settings: RougeSettings) -> None:
        try:
            from rouge_score.rouge_scorer import RougeScorer  # noqa: PLC0415  heavy, an extra
        except ImportError as err:
            raise ConfigError(
                "rouge needs rouge-score", hint='pip install "llmeval-metrics[text]"'
            ) from err
        stem = "-stem" if settings.stemmer and settings.tokenizer == "default" else ""
        self.definition = f"{settings.kind}@rouge-score-{settings.tokenizer}{stem}"
        self._kind = settings.kind
        self._scorer: Any = RougeScorer(  # Any: it has no type information
            [settings.kind],
            use_stemmer=settings.stemmer,
            tokenizer=_tokenizer(settings.tokenizer),
        )

    def judge(self, text: str, sample: Sample) -> Score:
        """Compare with each reference and take the best."""
        scores = (self._scorer.score(reference, text) for reference in sample.references)
        return Score(max(float(score[self._kind].fmeasure) for score in scores))


class _CharacterTokenizer:
    """Every character that is not space is a token."""

    def tokenize(self, text: str) -> list[str]:
        return [character for character in text if not character.isspace()]


class _WordTokenizer:
    """Japanese words, by fugashi."""

    def __init__(self, tagger: Any) -> None:
        self._tagger = tagger  # Any: fugashi has no type information

    def tokenize(self, text: str) -> list[str]:
        return [word.surface for word in self._tagger(text)]


def _tokenizer(name: str) -> _CharacterTokenizer | _WordTokenizer | None:
    if name == "char":
        return _CharacterTokenizer()
    if name == "default":
        return None
    try:
        import fugashi  # noqa: PLC0415  heavy, and an extra

        return _WordTokenizer(fugashi.Tagger())
    except (ImportError, RuntimeError) as err:
        raise ConfigError(
            "rouge with `tokenizer: ja` needs fugashi", hint='pip install "llmeval-metrics[ja]"'
        ) from err
