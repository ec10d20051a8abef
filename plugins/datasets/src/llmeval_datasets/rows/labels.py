"""What an answer column may say of the right choice: labels in order, numbers, the text itself."""

from __future__ import annotations

import re
import unicodedata
from typing import Any, Literal, get_args

from llmeval_datasets.rows.values import FieldError, kind_of, text_of

AnswerForm = Literal[
    "auto",
    "label",
    "text",
    "letters",
    "from_0",
    "from_1",
    "katakana",
    "hiragana",
    "iroha",
    "stems",
    "circled",
    "kanji",
    "roman",
    "hangul",
    "jamo",
    "greek",
    "cyrillic",
]
"""How an answer names a choice; `auto` is found out from all rows."""

IN_WORDS: dict[str, str] = {
    "label": "as the choices' own labels",
    "text": "as the choice's own text",
    "letters": "as letters from A",
    "from_0": "as numbers from 0",
    "from_1": "as numbers from 1",
    "katakana": "as ア, イ, ウ",
    "hiragana": "as あ, い, う",
    "iroha": "as イ, ロ, ハ",
    "stems": "as 甲, 乙, 丙",
    "circled": "as ①, ②, ③",
    "kanji": "as 一, 二, 三",
    "roman": "as I, II, III",
    "hangul": "as 가, 나, 다",
    "jamo": "as ㄱ, ㄴ, ㄷ",
    "greek": "as α, β, γ",
    "cyrillic": "as А, Б, В",
}

_SEQUENCES: dict[str, tuple[str, ...]] = {
    "letters": tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    "katakana": tuple("アイウエオカキクケコサシスセソ"),
    "hiragana": tuple("あいうえおかきくけこさしすせそ"),
    "iroha": tuple("イロハニホヘトチリヌルヲ"),
    "stems": tuple("甲乙丙丁戊己庚辛壬癸"),
    "circled": tuple("①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"),
    "kanji": tuple("一二三四五六七八九十"),
    "roman": ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X"),
    "hangul": tuple("가나다라마바사아자차카타파하"),
    "jamo": tuple(unicodedata.normalize("NFKC", "ㄱㄴㄷㄹㅁㅂㅅㅇㅈㅊㅋㅌㅍㅎ")),
    "greek": tuple("ΑΒΓΔΕΖΗΘ"),
    "cyrillic": tuple("АБВГДЕЖЗ"),
}
_BY_LABEL: dict[str, tuple[tuple[str, int], ...]] = {
    label: tuple(
        (name, labels.index(label)) for name, labels in _SEQUENCES.items() if label in labels
    )
    for labels in _SEQUENCES.values()
    for label in labels
}
FORMS: tuple[str, ...] = tuple(form for form in get_args(AnswerForm) if form != "auto")
"""Every form, in the order in which equal ones are preferred."""

_CIRCLED = frozenset(_SEQUENCES["circled"])
_OPENING, _CLOSING = "([{（［【「『〔〈<", ".)]}）］】」』〕〉>:：、，,．。"
_ENDINGS = " .,;:!?。、，；：！？"
_LABELLED = re.compile(
    rf"\s*[{re.escape(_OPENING)}]?\s*(?P<label>[^\W_]{{1,4}})\s*"
    rf"(?P<mark>[{re.escape(_CLOSING)}]+)(?P<rest>.*)",
    re.DOTALL,
)
_WHOLE = re.compile(r"\d{1,9}(?:\.0+)?")
_WORDS_FOR_TRUE = """
true yes correct right はい 正しい 正 真 ○ 〇 適切 是 对 對 正确 正確 예 네 참
oui vrai ja wahr sí si verdadero verdadeiro sim vero да верно
"""
_WORDS_FOR_FALSE = """
false no incorrect wrong いいえ 誤り 誤 偽 × ✕ 間違い 不適切 否 错 錯 错误 錯誤 아니오 아니요 거짓
non faux nein falsch falso não нет неверно
"""
_TRUE, _FALSE = frozenset(_WORDS_FOR_TRUE.split()), frozenset(_WORDS_FOR_FALSE.split())


def label_key(text: str) -> str:
    """Normalise a label: `(b)`, `Ｂ．` and ` B ` are all `B`, `1.0` is `1`."""
    marked = text.strip().strip(_OPENING + _CLOSING).strip()
    if marked[:1] in _CIRCLED:
        return marked  # NFKC would make 1 of it, which may count from 0
    bare = unicodedata.normalize("NFKC", text).strip().strip(_OPENING + _CLOSING).strip()
    if _WHOLE.fullmatch(bare):
        return str(int(float(bare)))
    return bare.upper()


def split_label(text: str) -> tuple[str, str] | None:
    """Split `B. blue` into the label's key and the rest; None if it does not begin with a label."""
    marked = text.strip().lstrip(_OPENING)
    if marked[:1] in _CIRCLED:
        return marked[0], marked[1:].lstrip(_CLOSING + " \t　")
    found = _LABELLED.match(text)
    if found is None:
        return None
    rest = found["rest"]
    if found["label"].isdigit() and found["mark"] in ".．,，:：" and rest[:1].isdigit():
        return None  # 3.5 and 10:30 are no labels
    return label_key(found["label"]), rest.strip()


def orders_with(key: str) -> dict[str, int]:
    """Name the orders in which there is this label, with its place in each (from 0)."""
    if key.isdecimal() and len(key) <= 3:
        return {"from_0": int(key), "from_1": int(key) - 1}
    return dict(_BY_LABEL.get(key, ()))


def plain_answer(value: Any) -> Any:
    """Take the one item of a list of one; Any: whatever a file has.

    Raises:
        FieldError: it is nothing that could name a choice.
    """
    if isinstance(value, list | tuple) and len(value) == 1:
        value = value[0]
    if value is None or (not isinstance(value, bool | int | str) and not _is_number(value)):
        raise FieldError(f"is {kind_of(value)}; it names no choice")
    if isinstance(value, str) and not value.strip():
        raise FieldError("is empty; it names no choice")
    return value


def readings(given: Any, choices: tuple[str, ...], own: tuple[str, ...] | None) -> dict[str, int]:
    """Find every way in which an answer names one of the choices: form to index.

    Args:
        given: what `plain_answer` returned.
        choices: the row's choices.
        own: the row's own labels; None if it has none.
    """
    text = text_of(given)
    found = {name: place for name, place in _in_order(text, choices) if 0 <= place < len(choices)}
    for name in ("label", "text"):
        index = reading(given, choices, own, form=name)
        if index is not None:
            found[name] = index
    return found


def reading(
    given: Any, choices: tuple[str, ...], own: tuple[str, ...] | None, *, form: str
) -> int | None:
    """Find the choice that an answer names in one form; None if it names none.

    Args:
        given, choices, own: see `readings`.
        form: how answers are read. Only where numbers from 0 were asked for, false is 0 and true 1.
    """
    text = text_of(given)
    if form == "label":
        return _by_own_label(text, choices, own) if own is not None else None
    if form == "text":
        return _by_text(given, text, choices)
    truth = _truth(given) if form == "from_0" else None
    if truth is not None:
        return int(truth) if len(choices) == 2 else None
    for name, place in _in_order(text, choices):
        if name == form and 0 <= place < len(choices):
            return place
    return None


def _by_own_label(text: str, choices: tuple[str, ...], own: tuple[str, ...]) -> int | None:
    exact = [place for place, label in enumerate(own) if label.strip() == text.strip()]
    if len(exact) == 1:
        return exact[0]
    keys = [label_key(label) for label in own]
    if keys.count(label_key(text)) == 1:
        return keys.index(label_key(text))
    split = split_label(text)
    if split is None or keys.count(split[0]) != 1:
        return None
    place = keys.index(split[0])
    return place if not split[1] or _same(split[1], choices[place]) else None


def _by_text(given: Any, text: str, choices: tuple[str, ...]) -> int | None:
    """Find the choice by its text, exactly or else apart from case and width; Any: see above."""
    wanted = text.strip()
    for known in ([choice.strip() for choice in choices], [_folded(choice) for choice in choices]):
        if known.count(wanted) == 1:
            return known.index(wanted)
        if wanted in known:
            return None
        wanted = _folded(text)
    truth = _truth(given)
    if truth is not None:
        said = [_says(choice) for choice in choices]
        return said.index(truth) if said.count(truth) == 1 else None
    split = split_label(text)
    if split is None or not split[1]:
        return None
    same = [place for place, choice in enumerate(choices) if _same(split[1], choice)]
    places = orders_with(split[0]).values()
    is_said = len(same) == 1 and (not places or same[0] in places)
    return same[0] if is_said else None  # `A. blue` where blue is B says two things


def _in_order(text: str, choices: tuple[str, ...]) -> list[tuple[str, int]]:
    """Read the text as a label of every order, alone or in front of its choice's text."""
    key = text if text in _BY_LABEL or (text.isdecimal() and text.isascii()) else label_key(text)
    rest = ""
    if key not in _BY_LABEL and not key.isdecimal():
        split = split_label(text)
        if split is None:
            return []
        key, rest = split
    places = list(_BY_LABEL.get(key, ()))
    if key.isdecimal():
        places = [("from_0", int(key)), ("from_1", int(key) - 1)]
    if not rest:
        return places
    return [
        (name, place)
        for name, place in places
        if 0 <= place < len(choices) and _same(rest, choices[place])
    ]


def _truth(given: Any) -> bool | None:
    """Tell what is a truth value, also as text; Any: see `readings`."""
    if isinstance(given, bool):
        return given
    word = given.strip().casefold() if isinstance(given, str) else ""
    return word == "true" if word in ("true", "false") else None


def _says(choice: str) -> bool | None:
    word = _folded(choice).strip(".。!！")
    return True if word in _TRUE else False if word in _FALSE else None


def _is_number(value: Any) -> bool:
    """Tell what is a number or a text in disguise; Any: see `plain_answer`."""
    try:
        text_of(value)
    except FieldError:
        return False
    return True


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _same(text: str, choice: str) -> bool:
    return _folded(text).rstrip(_ENDINGS) == _folded(choice).rstrip(_ENDINGS)
