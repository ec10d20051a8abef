"""Made-up rows of data sets of choices, with the columns that these have on the hub."""

from __future__ import annotations

import random

from plugins.tasks.lm_eval.tests.parity.row_texts import (
    GOLD,
    LETTERS,
    WORDS,
    Row,
    letters,
    text,
    texts,
)


def arc(r: random.Random) -> Row:
    choices = {"text": texts(r, 4), "label": list(LETTERS[:4])}
    return {"id": text(r), "question": text(r), "choices": choices, "answerKey": r.choice("ABCD")}


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


def mmlu(r: random.Random) -> Row:
    return {"question": text(r), "choices": texts(r, 4), "answer": r.randrange(4)}


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


def two_sentences(r: random.Random) -> Row:
    return {"sentence1": text(r), "sentence2": text(r), "label": r.randrange(2)}


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
    words = [r.choice(WORDS) for _ in range(8)]
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


def moral_stories(r: random.Random) -> Row:
    names = ("norm", "situation", "intention", "moral_action", "immoral_action")
    return {name: text(r) for name in names}


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
