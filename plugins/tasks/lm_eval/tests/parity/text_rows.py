"""Made-up rows of data sets of texts, with the columns that these have on the hub."""

from __future__ import annotations

import random

from plugins.tasks.lm_eval.tests.parity.row_texts import GOLD, LETTERS, Row, letters, text, texts


def gsm8k(r: random.Random) -> Row:
    return {"question": text(r), "answer": f"{text(r)}\n#### {r.choice([12, 7, 1200])}"}


def plain_text(r: random.Random) -> Row:
    return {"text": text(r, 12, 30)[:-1]}


def wikitext(r: random.Random) -> Row:
    return {"page": f" = {text(r)} = \n {text(r, 20, 40)} @-@ {text(r)}"}


def mmlu_pro(r: random.Random) -> Row:
    return {
        "question": text(r),
        "options": texts(r, 6),
        "answer": r.choice(LETTERS),
        "cot_content": f"A: Let's think step by step. {text(r)} The answer is (B).",
        "category": r.choice(["math", "math", "law"]),
    }


def triviaqa(r: random.Random) -> Row:
    return {"question": text(r)[:-1], "answer": {"aliases": r.sample(GOLD, 2), "value": "x"}}


def nq_open(r: random.Random) -> Row:
    return {"question": text(r)[:-1], "answer": r.sample(GOLD, 2)}


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


def mgsm(r: random.Random) -> Row:
    number = r.choice([12, 7, 1200])
    has_steps = r.random() < 0.5
    return {
        "question": f"Question: {text(r)}" if has_steps else text(r),
        "answer": f"Step-by-Step Answer: {text(r)} The answer is {number}." if has_steps else None,
        "answer_number": number,
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


def kmmlu(r: random.Random) -> Row:
    return {"question": text(r), **letters(r), "answer": r.randint(1, 4)}


def jsquad(r: random.Random) -> Row:
    answers = {"text": [r.choice(GOLD)], "answer_start": [0]}
    return {"context": f"{text(r)} [SEP] {text(r)}", "question": text(r), "answers": answers}


def eq_bench(r: random.Random) -> Row:
    names = ("Joy", "Fear", "Hope", "Anger")
    reference: Row = {f"emotion{at + 1}": name for at, name in enumerate(names)}
    reference |= {f"emotion{at}_score": str(r.randint(0, 10)) for at in range(1, 5)}
    return {"prompt": text(r), "reference_answer_fullscale": str(reference)}


def aime(r: random.Random) -> Row:
    return {"Problem": text(r), "Answer": r.choice([7, 12])}
