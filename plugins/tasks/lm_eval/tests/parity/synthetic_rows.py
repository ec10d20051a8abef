"""Made-up rows with the columns that the data sets have on the hub, one function a data set."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

Row = dict[str, Any]  # Any: whatever a column holds

_WORDS = (
    *("river", "stone", "teacher", "morning", "window", "garden", "seven", "engine", "paper"),
    *("winter", "music", "yellow", "market", "doctor", "bridge", "letter", "ocean", "silver"),
    *("planet", "forest", "bread", "village", "number", "coffee", "mountain"),
)
GOLD = ("river", "stone", "music", "bread")
LETTERS = ("A", "B", "C", "D", "E")


def text(r: random.Random, low: int = 4, high: int = 9) -> str:
    """Make a sentence."""
    words = [r.choice(_WORDS) for _ in range(r.randint(low, high))]
    return " ".join(words).capitalize() + "."


def texts(r: random.Random, n: int) -> list[str]:
    """Make n different sentences."""
    return [f"{text(r, 1, 4)[:-1]} {letter}" for letter in "abcdefgh"[:n]]


def letters(r: random.Random, n: int = 4) -> Row:
    """Make the columns A, B, C, D."""
    return dict(zip(LETTERS, texts(r, n), strict=False))


def arc(r: random.Random) -> Row:
    choices = {"text": texts(r, 4), "label": list(LETTERS[:4])}
    return {"id": text(r), "question": text(r), "choices": choices, "answerKey": r.choice("ABCD")}


def gsm8k(r: random.Random) -> Row:
    return {"question": text(r), "answer": f"{text(r)}\n#### {r.choice([12, 7, 1200])}"}


def hellaswag(r: random.Random) -> Row:
    return {
        "ctx_a": text(r),
        "ctx_b": text(r).lower(),
        "activity_label": "Cooking [title] bread",
        "endings": texts(r, 4),
        "label": str(r.randrange(4)),
    }


def piqa(r: random.Random) -> Row:
    one, two = texts(r, 2)
    return {"goal": text(r), "sol1": one, "sol2": two, "label": r.randrange(2)}


def boolq(r: random.Random) -> Row:
    return {"question": text(r)[:-1], "passage": text(r, 12, 20), "label": r.randrange(2)}


def winogrande(r: random.Random) -> Row:
    one, two = texts(r, 2)
    return {
        "sentence": f"{text(r)} So _ was {text(r).lower()}",
        "option1": one,
        "option2": two,
        "answer": r.choice("12"),
    }


def openbookqa(r: random.Random) -> Row:
    row = arc(r)
    return {"question_stem": row.pop("question"), **row}


def sciq(r: random.Random) -> Row:
    names = ("distractor1", "distractor2", "distractor3", "correct_answer")
    return {"question": text(r), "support": text(r), **dict(zip(names, texts(r, 4), strict=True))}


def commonsense_qa(r: random.Random) -> Row:
    choices = {"text": texts(r, 5), "label": list(LETTERS)}
    return {"question": text(r), "choices": choices, "answerKey": r.choice(LETTERS)}


def siqa(r: random.Random) -> Row:
    names = ("answerA", "answerB", "answerC")
    row = {"context": text(r), "question": text(r), "label": r.choice("123")}
    return {**row, **dict(zip(names, texts(r, 3), strict=True))}


def plain_text(r: random.Random) -> Row:
    return {"text": text(r, 12, 30)[:-1]}


def wikitext(r: random.Random) -> Row:
    return {"page": f" = {text(r)} = \n {text(r, 20, 40)} @-@ {text(r)}"}


def mmlu(r: random.Random) -> Row:
    return {"question": text(r), "choices": texts(r, 4), "answer": r.randrange(4)}


def mmlu_pro(r: random.Random) -> Row:
    return {
        "question": text(r),
        "options": texts(r, 6),
        "answer": r.choice(LETTERS),
        "cot_content": f"A: Let's think step by step. {text(r)} The answer is (B).",
        "category": r.choice(["math", "math", "law"]),
    }


def truthfulqa(r: random.Random) -> Row:
    good, *bad = texts(r, 5)
    labels = [1, 1, 0, 0, 0]
    return {
        "question": text(r),
        "mc1_targets": {"choices": [good, *bad], "labels": [1, 0, 0, 0, 0]},
        "mc2_targets": {"choices": [good, *bad], "labels": labels},
        "best_answer": good,
        "correct_answers": [good, text(r)],
        "incorrect_answers": bad,
    }


def triviaqa(r: random.Random) -> Row:
    return {"question": text(r)[:-1], "answer": {"aliases": r.sample(GOLD, 2), "value": "x"}}


def nq_open(r: random.Random) -> Row:
    return {"question": text(r)[:-1], "answer": r.sample(GOLD, 2)}


def webqs(r: random.Random) -> Row:
    return {"question": text(r), "answers": r.sample(GOLD, r.randint(1, 3)), "url": "x"}


def race(r: random.Random) -> Row:
    problems = [
        {"question": text(r)[:-1] + end, "answer": r.choice("ABCD"), "options": texts(r, 4)}
        for end in ("  _  .", "?", "?")
    ]
    return {"article": text(r, 20, 30), "problems": str(problems)}


def logiqa(r: random.Random) -> Row:
    return {
        "label": r.choice("abcd"),
        "context": text(r),
        "question": text(r),
        "options": texts(r, 4),
    }


def logiqa2(r: random.Random) -> Row:
    return {
        "answer": r.randrange(4),
        "text": text(r),
        "question": text(r),
        "options": texts(r, 4),
    }


def mathqa(r: random.Random) -> Row:
    options = " , ".join(f"{letter} ) {r.randint(1, 99)}" for letter in "abcde")
    return {"Problem": text(r), "options": options, "correct": r.choice("abcde")}


def asdiv(r: random.Random) -> Row:
    return {"body": text(r), "question": text(r), "answer": f"{r.randint(1, 9)} (apples)"}


def drop(r: random.Random) -> Row:
    number = r.choice(["", "12", "7"])
    spans = [] if number else r.sample(GOLD, r.randint(1, 2))
    date = {"day": "", "month": "", "year": ""}
    return {
        "query_id": text(r),
        "passage": text(r, 12, 20),
        "question": text(r),
        "answer": {"number": number, "date": date, "spans": spans},
        "validated_answers": {"number": ["12"], "date": [date], "spans": [[]]},
    }


def headqa(r: random.Random) -> Row:
    answers = [{"aid": at + 1, "atext": one} for at, one in enumerate(texts(r, 4))]
    return {"qtext": text(r), "ra": r.randint(1, 4), "answers": answers}


def medqa(r: random.Random) -> Row:
    endings = {f"ending{at}": one for at, one in enumerate(texts(r, 4))}
    return {"sent1": text(r), **endings, "label": r.randrange(4)}


def medmcqa(r: random.Random) -> Row:
    names = ("opa", "opb", "opc", "opd")
    return {
        "question": text(r),
        **dict(zip(names, texts(r, 4), strict=True)),
        "cop": r.randrange(4),
    }


def pubmedqa(r: random.Random) -> Row:
    decision = r.choice(["yes", "no", "maybe"])
    return {"QUESTION": text(r), "CONTEXTS": [text(r), text(r)], "final_decision": decision}


def good_and_bad(r: random.Random) -> Row:
    good, bad = texts(r, 2)
    return {"sentence_good": good, "sentence_bad": bad}


def nli(r: random.Random) -> Row:
    return {"premise": text(r), "hypothesis": text(r)[:-1], "label": r.randrange(3)}


def copa(r: random.Random) -> Row:
    one, two = texts(r, 2)
    return {
        "premise": text(r),
        "question": r.choice(["cause", "effect"]),
        "choice1": one,
        "choice2": two,
        "label": r.randrange(2),
    }


def xstorycloze(r: random.Random) -> Row:
    story = {f"input_sentence_{at}": text(r) for at in range(1, 5)}
    one, two = texts(r, 2)
    return {
        **story,
        "sentence_quiz1": one,
        "sentence_quiz2": two,
        "answer_right_ending": r.randint(1, 2),
    }


def two_sentences(r: random.Random) -> Row:
    return {"sentence1": text(r), "sentence2": text(r), "label": r.randrange(2)}


def paws(r: random.Random) -> Row:
    row = two_sentences(r)
    return row if r.random() < 0.8 else {**row, "sentence1": ""}


def mgsm(r: random.Random) -> Row:
    number = r.choice([12, 7, 1200])
    has_steps = r.random() < 0.5
    return {
        "question": f"Question: {text(r)}" if has_steps else text(r),
        "answer": f"Step-by-Step Answer: {text(r)} The answer is {number}." if has_steps else None,
        "answer_number": number,
    }


def belebele(r: random.Random) -> Row:
    answers = {f"mc_answer{at + 1}": one for at, one in enumerate(texts(r, 4))}
    return {
        "flores_passage": text(r, 12, 20),
        "question": text(r),
        **answers,
        "correct_answer_num": r.choice("1234"),
    }


def bbh(r: random.Random) -> Row:
    return {"input": text(r), "target": r.choice(["True", "False"])}


def agieval(r: random.Random) -> Row:
    return {
        "query": text(r),
        "choices": [f"({letter}){one}" for letter, one in zip("ABCD", texts(r, 4), strict=True)],
        "gold": [r.randrange(4)],
        "answer": str(r.choice([7, 12])),
    }


def translation(r: random.Random) -> Row:
    return {"translation": {"en": text(r), "ro": text(r), "de": text(r), "fr": text(r)}}


def sentence(r: random.Random) -> Row:
    return {"sentence": text(r), "label": r.randrange(2)}


def qnli(r: random.Random) -> Row:
    return {"question": text(r), **sentence(r)}


def multirc(r: random.Random) -> Row:
    return {
        "paragraph": text(r, 12, 20),
        "question": text(r),
        "answer": text(r),
        "idx": {"paragraph": 0, "question": 1, "answer": 2},
        "label": r.randrange(2),
    }


def wic(r: random.Random) -> Row:
    return {**two_sentences(r), "start1": 0, "end1": 5}


def wsc(r: random.Random) -> Row:
    words = [r.choice(_WORDS) for _ in range(8)]
    return {
        "text": " ".join([*words[:4], "it", *words[4:]]),
        "span2_index": 4,
        "span2_text": "it",
        "span1_text": words[0],
        "label": r.randrange(2),
    }


def ethics_cm(r: random.Random) -> Row:
    return {"input": text(r), "label": r.randrange(2), "is_short": True}


def crows_pairs(r: random.Random) -> Row:
    return {
        "sent_more": text(r),
        "sent_less": text(r),
        "bias_type": r.choice(["age", "gender"]),
        "stereo_antistereo": "stereo",
    }


def toxigen(r: random.Random) -> Row:
    return {
        "text": text(r),
        "toxicity_ai": float(r.randint(1, 5)),
        "toxicity_human": float(r.randint(1, 5)),
    }


def wsc273(r: random.Random) -> Row:
    begin = text(r)
    return {
        "text": f"{begin} They {text(r).lower()}",
        "pronoun": "They",
        "pronoun_loc": len(begin) + 1,
        "options": ["The " + one for one in texts(r, 2)],
        "label": r.randrange(2),
    }


def swag(r: random.Random) -> Row:
    endings = {f"ending{at}": one for at, one in enumerate(texts(r, 4))}
    return {"startphrase": text(r), **endings, "label": r.randrange(4)}


def mc_taco(r: random.Random) -> Row:
    return {**sentence(r), "question": text(r), "answer": text(r)}


def mutual(r: random.Random) -> Row:
    return {
        "article": f"m : {text(r)} f : {text(r)}",
        "answers": r.choice("ABCD"),
        "options": [f"m : {one} ." for one in texts(r, 4)],
    }


def prost(r: random.Random) -> Row:
    return {"context": text(r), "ex_question": text(r), **letters(r), "label": r.randrange(4)}


def qa4mre(r: random.Random) -> Row:
    options = {"answer_id": list("12345"), "answer_str": texts(r, 5)}
    return {
        "document_str": text(r, 12, 20),
        "question_str": text(r),
        "correct_answer_id": r.choice("12345"),
        "answer_options": options,
    }


def qasper(r: random.Random) -> Row:
    def blob(kind: int) -> Row:
        return {
            "unanswerable": False,
            "yes_no": True if kind == 0 else False if kind == 1 else None,
            "free_form_answer": text(r) if kind == 2 else "",
            "extractive_spans": [],
        }

    asked = [text(r) for _ in range(3)]
    answers = [{"answer": [blob(kind)]} for kind in (0, 2, 1)]
    return {"title": text(r), "abstract": text(r), "qas": {"question": asked, "answers": answers}}


def completion(r: random.Random) -> Row:
    return {"context": text(r), "completion": r.choice(GOLD)}


def babi(r: random.Random) -> Row:
    return {"passage": text(r) + "\n", "question": text(r), "answer": r.choice(GOLD)}


def cmmlu(r: random.Random) -> Row:
    return {"Question": text(r), **letters(r), "Answer": r.choice("ABCD")}


def ceval(r: random.Random) -> Row:
    return {"question": text(r), **letters(r), "answer": r.choice("ABCD")}


def kobest_copa(r: random.Random) -> Row:
    one, two = texts(r, 2)
    return {
        "premise": text(r),
        "question": r.choice(["원인", "결과"]),
        "alternative_1": one,
        "alternative_2": two,
        "label": r.randrange(2),
    }


def kobest_hellaswag(r: random.Random) -> Row:
    endings = {f"ending_{at + 1}": one for at, one in enumerate(texts(r, 4))}
    return {"context": text(r), **endings, "label": r.randrange(4)}


def haerae(r: random.Random) -> Row:
    return {"query": text(r), "answer": f"({r.choice(LETTERS)})"}


def kmmlu(r: random.Random) -> Row:
    return {"question": text(r), **letters(r), "answer": r.randint(1, 4)}


def eus_trivia(r: random.Random) -> Row:
    n = r.randint(2, 4)
    return {"question": text(r), "candidates": texts(r, n), "answer": r.randrange(n)}


def jsquad(r: random.Random) -> Row:
    answers = {"text": [r.choice(GOLD)], "answer_start": [0]}
    return {"context": f"{text(r)} [SEP] {text(r)}", "question": text(r), "answers": answers}


def jcommonsenseqa(r: random.Random) -> Row:
    choices = {f"choice{at}": one for at, one in enumerate(texts(r, 5))}
    return {"question": text(r), **choices, "label": r.randrange(5)}


def eq_bench(r: random.Random) -> Row:
    names = ("Joy", "Fear", "Hope", "Anger")
    reference: Row = {f"emotion{at + 1}": name for at, name in enumerate(names)}
    reference |= {f"emotion{at}_score": str(r.randint(0, 10)) for at in range(1, 5)}
    return {"prompt": text(r), "reference_answer_fullscale": str(reference)}


def moral_stories(r: random.Random) -> Row:
    names = ("norm", "situation", "intention", "moral_action", "immoral_action")
    return {name: text(r) for name in names}


def aime(r: random.Random) -> Row:
    return {"Problem": text(r), "Answer": r.choice([7, 12])}


def turkishmmlu(r: random.Random) -> Row:
    return {"question": text(r), "choices": texts(r, 5), "answer": r.choice(LETTERS)}


def winogender(r: random.Random) -> Row:
    one, two = texts(r, 2)
    return {
        "sentence": text(r),
        "pronoun": r.choice(["she", "he"]),
        "occupation": one,
        "participant": two,
        "label": r.randrange(2),
    }


def mastermind(r: random.Random) -> Row:
    options = {"label": list(LETTERS[:4]), "text": texts(r, 4)}
    return {"instruction": text(r), "options": options, "answerKey": r.choice("ABCD")}


def inverse_scaling(r: random.Random) -> Row:
    return {"prompt": text(r), "classes": [" Y", " N"], "answer_index": r.randrange(2)}


def key_and_value(r: random.Random) -> Row:
    return {"text": f"{text(r, 12, 20)} {r.choice(_WORDS)}:", "value": r.choice(GOLD), "key": "k"}


RowMaker = Callable[[random.Random], Row]
