"""Made-up rows of data sets of choices in one language or many, with their columns."""

from __future__ import annotations

import random

from plugins.tasks.lm_eval.tests.parity.row_texts import LETTERS, Row, letters, text, texts


def headqa(r: random.Random) -> Row:
    answers = [{"aid": at + 1, "atext": one} for at, one in enumerate(texts(r, 4))]
    return {"qtext": text(r), "ra": r.randint(1, 4), "answers": answers}


def xstorycloze(r: random.Random) -> Row:
    story = {f"input_sentence_{at}": text(r) for at in range(1, 5)}
    one, two = texts(r, 2)
    return {
        **story,
        "sentence_quiz1": one,
        "sentence_quiz2": two,
        "answer_right_ending": r.randint(1, 2),
    }


def paws(r: random.Random) -> Row:
    row = {"sentence1": text(r), "sentence2": text(r), "label": r.randrange(2)}
    return row if r.random() < 0.8 else {**row, "sentence1": ""}


def belebele(r: random.Random) -> Row:
    answers = {f"mc_answer{at + 1}": one for at, one in enumerate(texts(r, 4))}
    return {
        "flores_passage": text(r, 12, 20),
        "question": text(r),
        **answers,
        "correct_answer_num": r.choice("1234"),
    }


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


def eus_trivia(r: random.Random) -> Row:
    n = r.randint(2, 4)
    return {"question": text(r), "candidates": texts(r, n), "answer": r.randrange(n)}


def jcommonsenseqa(r: random.Random) -> Row:
    choices = {f"choice{at}": one for at, one in enumerate(texts(r, 5))}
    return {"question": text(r), **choices, "label": r.randrange(5)}


def turkishmmlu(r: random.Random) -> Row:
    return {"question": text(r), "choices": texts(r, 5), "answer": r.choice(LETTERS)}
