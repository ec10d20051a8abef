"""judge_choice: which choice does an answer mean?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from string import ascii_uppercase

from llmeval_core.hooks import (
    Aggregate,
    Generation,
    Json,
    MetricAsk,
    Sample,
    Score,
    mean_aggregate,
)
from llmeval_judges.fenced_data import FencedText
from llmeval_judges.judge_prompt import JudgePrompt
from llmeval_judges.judge_settings import ChoiceJudgeSettings
from llmeval_judges.judged_texts import answers_of, images_of
from llmeval_judges.jury import Jury, Ruling, as_json
from llmeval_judges.jury_making import definition_of, make_jury
from llmeval_judges.scale import Level, Scale
from llmeval_judges.suspicion import speaks_to_judge

NONE = "none"
CHOICE_REVISION = 1

_CRITERIA = {
    "en": (
        "Find out which of the choices the answer settles on, whether that is right or wrong. It"
        " settles on a choice if it names its letter, repeats it, or says the same in other words."
        f' If it settles on none, on several, or on something else, the verdict is "{NONE}". Do'
        " not say which choice you take for right."
    ),
    "ja": (
        "応答が選択肢のどれを選んでいるかを、その正誤とは関係なく読み取ってください。記号を挙げる、"
        "選択肢の文を繰り返す、同じ内容を別の言葉で述べる、のいずれかであれば、それを選んでいます。"
        f'どれも選んでいない、複数を選んでいる、別のことを述べている場合の判定は "{NONE}" です。'
        "あなたが正しいと思う選択肢を答えてはいけません。"
    ),
}


class ChoiceJudge:
    """The share of answers that mean the right choice, as a judge reads them.

    The judge is not told which choice is right, and only says which one the answer means; one that
    means none, or several, is wrong. Of several answers to a sample the mean counts.
    """

    higher_is_better = True

    def __init__(self, settings: ChoiceJudgeSettings) -> None:
        self._settings = settings
        self.definition = definition_of(
            "judge_choice", f"choice-{CHOICE_REVISION}", self._jury_of(2)
        )

    @property
    def roles(self) -> Mapping[str, int]:
        """Who judges, and how often a sample."""
        return self._jury_of(2).roles

    async def score(self, sample: Sample, generation: Generation, ask: MetricAsk) -> Score:
        """Have the answers to one sample read.

        Raises:
            ValueError: the sample has no choices, or too many; or there is no verdict.
            UnansweredError: the only judge did not answer.
        """
        if sample.answer is None or not 2 <= len(sample.choices) <= len(ascii_uppercase):
            raise ValueError("the sample has no choices of which one is right, or more than 26")
        jury = self._jury_of(len(sample.choices))
        answers = answers_of(generation)
        rulings = [
            await jury.rule(
                self._texts(jury.request.prompt, sample, answer),
                ask,
                judged=(answer,),
                images=images_of(sample),
            )
            for answer in answers
        ]
        right = ascii_uppercase[sample.answer]
        value = sum(_share_right(ruling, right) for ruling in rulings) / len(rulings)
        said: list[Json] = [as_json(jury.jurors, ruling) for ruling in rulings]
        details: dict[str, Json] = {"jury": said[0] if len(said) == 1 else said}
        suspicious = next((found for found in map(speaks_to_judge, answers) if found), None)
        if suspicious is not None:
            details["speaks_to_judge"] = suspicious
        return Score(value, rulings[0].label, details=details)

    def aggregate(self, scores: Iterable[Score]) -> Aggregate:
        """Average over samples."""
        return mean_aggregate(scores)

    def _jury_of(self, n_choices: int) -> Jury:
        letters = (Level(letter, float(place)) for place, letter in enumerate(ascii_uppercase))
        levels = tuple(level for level, _ in zip(letters, range(n_choices), strict=False))
        scale = Scale((*levels, Level(NONE, -1.0)))
        language = self._settings.language
        prompt = JudgePrompt(_CRITERIA[language], scale, language, self._settings.max_reason)
        return make_jury(self._settings.model_copy(update={"combine": "majority"}), prompt)

    def _texts(self, prompt: JudgePrompt, sample: Sample, answer: str) -> list[FencedText]:
        lettered = zip(ascii_uppercase, sample.choices, strict=False)
        return [
            FencedText(prompt.title("question"), sample.input_text),
            FencedText(
                prompt.title("choices"), "\n".join(f"{letter}. {text}" for letter, text in lettered)
            ),
            FencedText(prompt.title("answer"), answer),
        ]


def _share_right(ruling: Ruling, right: str) -> float:
    """Return 1 or 0 by what most jurors read; on a tie the share of the right one in it."""
    if ruling.label is not None:
        return float(ruling.label == right)
    labels = [verdict.level.label for verdict in ruling.given]
    most = max(map(labels.count, labels))
    winners = {label for label in labels if labels.count(label) == most}
    return (right in winners) / len(winners)
