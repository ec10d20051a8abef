"""Which of lm-eval's tasks are compared, with which rows, splits and answers."""

from __future__ import annotations

import random
from dataclasses import dataclass

from plugins.tasks.lm_eval.tests.parity import choice_rows as choices
from plugins.tasks.lm_eval.tests.parity import language_rows as languages
from plugins.tasks.lm_eval.tests.parity import text_rows as texts
from plugins.tasks.lm_eval.tests.parity.row_texts import Row, RowMaker

NUMBERS = ("#### 12", "The answer is 7.", "The answer is 12.", "#### 1,200\n\nQ: more", "7.", "12")
LETTER_TEXTS = ("The answer is (A).", "the answer is (C)", "answer is B", "B", "D", "A. Q: x")
YES_NO = ("True", "False.", "the answer is True.", "So the answer is False.\n\nQ: x", " true", "?")
WORDS = ("River", "the stone", "music, bread", " bread", "river\nmore", "Music", "", "stone")


@dataclass(frozen=True)
class ParitySpec:
    """One task of the comparison.

    Args:
        task: lm-eval's name of it.
        rows: makes a row.
        splits: the splits that its data have; the first letters of `train+validation`.
        answers: what the model may say where it writes.
        n_shots: as `--num_fewshot`; None for the task's own.
        limit: as `--limit`.
        bootstrap_iters: as lm-eval's.
    """

    task: str
    rows: RowMaker
    splits: str = "train validation test"
    answers: tuple[str, ...] = WORDS
    n_shots: int | None = None
    limit: int | None = None
    bootstrap_iters: int = 100_000

    def data(self) -> dict[str, list[Row]]:
        """Make the rows of all splits; the same each time."""
        made = {}
        for split in self.splits.split():
            r = random.Random(f"{self.task} {split}")
            made[split] = [self.rows(r) for _ in range(14 if split == "train" else 12)]
        return made


S = ParitySpec
SPECS = (
    S("gsm8k", texts.gsm8k, "train test", NUMBERS),
    S(
        "gsm8k_cot",
        texts.gsm8k,
        "train test",
        ("The answer is 7.", "The answer is 12. Q: x", "7"),
    ),
    S("hellaswag", choices.hellaswag, "train validation", n_shots=3),
    S("arc_easy", choices.arc, n_shots=2),
    S("arc_challenge", choices.arc),
    S("piqa", choices.piqa, "train validation", n_shots=4),
    S("boolq", choices.boolq, "train validation", n_shots=1),
    S("winogrande", choices.winogrande, "train validation", n_shots=2),
    S("openbookqa", choices.openbookqa),
    S("sciq", choices.sciq),
    S("commonsense_qa", choices.commonsense_qa, "train validation", n_shots=4),
    S("social_iqa", choices.siqa, "train validation"),
    S("lambada_openai", texts.plain_text, "test"),
    S("lambada_standard", texts.plain_text, "validation test", n_shots=1, bootstrap_iters=2000),
    S("wikitext", texts.wikitext),
    S("mmlu_abstract_algebra", choices.mmlu, "dev test", n_shots=5),
    S("mmlu_pro_math", texts.mmlu_pro, "validation test", LETTER_TEXTS, n_shots=2),
    S("truthfulqa_mc1", choices.truthfulqa, "validation", n_shots=3),
    S("truthfulqa_mc2", choices.truthfulqa, "validation"),
    S("truthfulqa_gen", choices.truthfulqa, "validation", limit=3),
    S("triviaqa", texts.triviaqa, "train validation", n_shots=2),
    S("nq_open", texts.nq_open, "train validation", n_shots=3, limit=5),
    S("webqs", choices.webqs, "train test"),
    S("race", choices.race, "test"),
    S("logiqa", choices.logiqa, n_shots=1),
    S("logiqa2", choices.logiqa2),
    S("mathqa", choices.mathqa),
    S("asdiv", texts.asdiv, "validation", n_shots=2),
    S("drop", texts.drop, "train validation", ("12", "7 people.", "river stone", "music", "")),
    S("headqa_en", languages.headqa),
    S("medqa_4options", choices.medqa),
    S("medmcqa", choices.medmcqa, "train validation"),
    S("pubmedqa", choices.pubmedqa),
    S("blimp_adjunct_island", choices.good_and_bad, "train"),
    S("xnli_en", choices.nli, "train validation"),
    S("xcopa_it", choices.copa, "validation test"),
    S("xstorycloze_en", languages.xstorycloze, "train eval"),
    S("xwinograd_en", choices.winogrande, "test"),
    S("paws_en", languages.paws, n_shots=2),
    S("mgsm_direct_en", texts.mgsm, "train test", NUMBERS, n_shots=2),
    S(
        "mgsm_en_cot_en",
        texts.mgsm,
        "train test",
        ("The answer is 7", "The answer is 12", "12"),
    ),
    S("belebele_eng_Latn", languages.belebele, "test", n_shots=3),
    S("bbh_cot_fewshot_boolean_expressions", texts.bbh, "test", YES_NO),
    S("bbh_zeroshot_boolean_expressions", texts.bbh, "test", YES_NO),
    S("agieval_lsat_ar", texts.agieval, "test"),
    S("agieval_math", texts.agieval, "test", ("$7$", "so \\boxed{12}", "x = 7", "")),
    S(
        "wmt16-en-ro",
        texts.translation,
        answers=("River stone music.", "Bread.", "a b c d", ""),
    ),
    S(
        "wmt14-en-fr",
        texts.translation,
        answers=("River stone music.", "Bread.", "a b c d", ""),
    ),
    S("cola", choices.sentence, "train validation"),
    S("mrpc", choices.two_sentences, "train validation", n_shots=1),
    S("sst2", choices.sentence, "train validation"),
    S("rte", choices.two_sentences, "train validation"),
    S("qnli", choices.qnli, "train validation"),
    S("cb", choices.nli, "train validation"),
    S("copa", choices.copa, "train validation"),
    S("multirc", choices.multirc, "train validation"),
    S("wic", choices.wic, "train validation"),
    S("wsc", choices.wsc, "train validation", n_shots=1),
    S("anli_r1", choices.nli, "train_r1 dev_r1 test_r1"),
    S("ethics_cm", choices.ethics_cm, "train test"),
    S("crows_pairs_english", choices.crows_pairs, "test"),
    S("toxigen", choices.toxigen, "train test"),
    S("wsc273", choices.wsc273, "test"),
    S("swag", choices.swag, "train validation"),
    S("mc_taco", choices.mc_taco, "validation test"),
    S("mutual", choices.mutual, "train validation"),
    S("prost", choices.prost, "test"),
    S("qa4mre_2011", choices.qa4mre, "train"),
    S("qasper_bool", texts.qasper, "train validation"),
    S("qasper_freeform", texts.qasper, "train validation"),
    S("cycle_letters", texts.completion, "validation", ("river", "stone ", "music")),
    S("arithmetic_2da", texts.completion, "validation"),
    S("babi", texts.babi, "train valid test", (" river", " stone", " music\nx"), n_shots=2),
    S("cmmlu_anatomy", languages.cmmlu, "dev test", n_shots=4),
    S("ceval-valid_law", languages.ceval, "dev val", n_shots=2),
    S("kobest_copa", languages.kobest_copa),
    S("kobest_hellaswag", languages.kobest_hellaswag),
    S("haerae_general_knowledge", languages.haerae, "test", n_shots=2),
    S("kmmlu_direct_law", texts.kmmlu, "dev test", ("A", "B. x", " C", "D"), n_shots=2),
    S("eus_trivia", languages.eus_trivia, "test"),
    S(
        "ja_leaderboard_jsquad",
        texts.jsquad,
        "train validation",
        (" river", "stone", "music\n\nx"),
    ),
    S("ja_leaderboard_jcommonsenseqa", languages.jcommonsenseqa, "train validation"),
    S(
        "eq_bench",
        texts.eq_bench,
        "validation",
        ("Joy: 3\nFear: 4\nHope: 5\nAnger: 0", "Joy: 1"),
    ),
    S("moral_stories", choices.moral_stories, "train"),
    S("wmdp_bio", choices.mmlu, "test"),
    S("pile_pubmed-central", texts.plain_text, "train"),
    S("paloma_c4_en", texts.plain_text, "val test"),
    S("c4", texts.plain_text, "train validation"),
    S("aime24", texts.aime, "train", ("$7$", "\\boxed{12}", "7")),
    S("turkishmmlu_biology", languages.turkishmmlu, "dev test", n_shots=3),
    S("winogender_all", choices.winogender, "test"),
    S("mastermind_24_easy", choices.mastermind),
    S("inverse_scaling_hindsight_neglect_10shot", choices.inverse_scaling, "train"),
)
