"""Which of lm-eval's tasks are compared, with which rows, splits and answers."""

from __future__ import annotations

import random
from dataclasses import dataclass

from plugins.tasks.lm_eval.tests.parity import synthetic_rows as rows
from plugins.tasks.lm_eval.tests.parity.synthetic_rows import Row, RowMaker

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
    S("gsm8k", rows.gsm8k, "train test", NUMBERS),
    S("gsm8k_cot", rows.gsm8k, "train test", ("The answer is 7.", "The answer is 12. Q: x", "7")),
    S("hellaswag", rows.hellaswag, "train validation", n_shots=3),
    S("arc_easy", rows.arc, n_shots=2),
    S("arc_challenge", rows.arc),
    S("piqa", rows.piqa, "train validation", n_shots=4),
    S("boolq", rows.boolq, "train validation", n_shots=1),
    S("winogrande", rows.winogrande, "train validation", n_shots=2),
    S("openbookqa", rows.openbookqa),
    S("sciq", rows.sciq),
    S("commonsense_qa", rows.commonsense_qa, "train validation", n_shots=4),
    S("social_iqa", rows.siqa, "train validation"),
    S("lambada_openai", rows.plain_text, "test"),
    S("lambada_standard", rows.plain_text, "validation test", n_shots=1, bootstrap_iters=2000),
    S("wikitext", rows.wikitext),
    S("mmlu_abstract_algebra", rows.mmlu, "dev test", n_shots=5),
    S("mmlu_pro_math", rows.mmlu_pro, "validation test", LETTER_TEXTS, n_shots=2),
    S("truthfulqa_mc1", rows.truthfulqa, "validation", n_shots=3),
    S("truthfulqa_mc2", rows.truthfulqa, "validation"),
    S("truthfulqa_gen", rows.truthfulqa, "validation", limit=3),
    S("triviaqa", rows.triviaqa, "train validation", n_shots=2),
    S("nq_open", rows.nq_open, "train validation", n_shots=3, limit=5),
    S("webqs", rows.webqs, "train test"),
    S("race", rows.race, "test"),
    S("logiqa", rows.logiqa, n_shots=1),
    S("logiqa2", rows.logiqa2),
    S("mathqa", rows.mathqa),
    S("asdiv", rows.asdiv, "validation", n_shots=2),
    S("drop", rows.drop, "train validation", ("12", "7 people.", "river stone", "music", "")),
    S("headqa_en", rows.headqa),
    S("medqa_4options", rows.medqa),
    S("medmcqa", rows.medmcqa, "train validation"),
    S("pubmedqa", rows.pubmedqa),
    S("blimp_adjunct_island", rows.good_and_bad, "train"),
    S("xnli_en", rows.nli, "train validation"),
    S("xcopa_it", rows.copa, "validation test"),
    S("xstorycloze_en", rows.xstorycloze, "train eval"),
    S("xwinograd_en", rows.winogrande, "test"),
    S("paws_en", rows.paws, n_shots=2),
    S("mgsm_direct_en", rows.mgsm, "train test", NUMBERS, n_shots=2),
    S("mgsm_en_cot_en", rows.mgsm, "train test", ("The answer is 7", "The answer is 12", "12")),
    S("belebele_eng_Latn", rows.belebele, "test", n_shots=3),
    S("bbh_cot_fewshot_boolean_expressions", rows.bbh, "test", YES_NO),
    S("bbh_zeroshot_boolean_expressions", rows.bbh, "test", YES_NO),
    S("agieval_lsat_ar", rows.agieval, "test"),
    S("agieval_math", rows.agieval, "test", ("$7$", "so \\boxed{12}", "x = 7", "")),
    S("wmt16-en-ro", rows.translation, answers=("River stone music.", "Bread.", "a b c d", "")),
    S("wmt14-en-fr", rows.translation, answers=("River stone music.", "Bread.", "a b c d", "")),
    S("cola", rows.sentence, "train validation"),
    S("mrpc", rows.two_sentences, "train validation", n_shots=1),
    S("sst2", rows.sentence, "train validation"),
    S("rte", rows.two_sentences, "train validation"),
    S("qnli", rows.qnli, "train validation"),
    S("cb", rows.nli, "train validation"),
    S("copa", rows.copa, "train validation"),
    S("multirc", rows.multirc, "train validation"),
    S("wic", rows.wic, "train validation"),
    S("wsc", rows.wsc, "train validation", n_shots=1),
    S("anli_r1", rows.nli, "train_r1 dev_r1 test_r1"),
    S("ethics_cm", rows.ethics_cm, "train test"),
    S("crows_pairs_english", rows.crows_pairs, "test"),
    S("toxigen", rows.toxigen, "train test"),
    S("wsc273", rows.wsc273, "test"),
    S("swag", rows.swag, "train validation"),
    S("mc_taco", rows.mc_taco, "validation test"),
    S("mutual", rows.mutual, "train validation"),
    S("prost", rows.prost, "test"),
    S("qa4mre_2011", rows.qa4mre, "train"),
    S("qasper_bool", rows.qasper, "train validation"),
    S("qasper_freeform", rows.qasper, "train validation"),
    S("cycle_letters", rows.completion, "validation", ("river", "stone ", "music")),
    S("arithmetic_2da", rows.completion, "validation"),
    S("babi", rows.babi, "train valid test", (" river", " stone", " music\nx"), n_shots=2),
    S("cmmlu_anatomy", rows.cmmlu, "dev test", n_shots=4),
    S("ceval-valid_law", rows.ceval, "dev val", n_shots=2),
    S("kobest_copa", rows.kobest_copa),
    S("kobest_hellaswag", rows.kobest_hellaswag),
    S("haerae_general_knowledge", rows.haerae, "test", n_shots=2),
    S("kmmlu_direct_law", rows.kmmlu, "dev test", ("A", "B. x", " C", "D"), n_shots=2),
    S("eus_trivia", rows.eus_trivia, "test"),
    S("ja_leaderboard_jsquad", rows.jsquad, "train validation", (" river", "stone", "music\n\nx")),
    S("ja_leaderboard_jcommonsenseqa", rows.jcommonsenseqa, "train validation"),
    S("eq_bench", rows.eq_bench, "validation", ("Joy: 3\nFear: 4\nHope: 5\nAnger: 0", "Joy: 1")),
    S("moral_stories", rows.moral_stories, "train"),
    S("wmdp_bio", rows.mmlu, "test"),
    S("pile_pubmed-central", rows.plain_text, "train"),
    S("paloma_c4_en", rows.plain_text, "val test"),
    S("c4", rows.plain_text, "train validation"),
    S("aime24", rows.aime, "train", ("$7$", "\\boxed{12}", "7")),
    S("turkishmmlu_biology", rows.turkishmmlu, "dev test", n_shots=3),
    S("winogender_all", rows.winogender, "test"),
    S("mastermind_24_easy", rows.mastermind),
    S("inverse_scaling_hindsight_neglect_10shot", rows.inverse_scaling, "train"),
)
