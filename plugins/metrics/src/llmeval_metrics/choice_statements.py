"""How people say which letter is the answer, in seven languages.

Every repetition is bounded: a model that loops writes one word ten thousand times.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from llmeval_metrics.letters import LETTERS

KANA = "アイウエオカキクケコ"

OPEN = r"[(\[「【『<\"'*_`]{0,4}"
CLOSE = r"[)\]」】』>\"'*_`]{0,4}"

_NOUN = (
    r"(?:answers?|ans|solution|(?:correct|right|best|final)\s(?:choice|option|letter|one)"
    r"|(?:choice|option)(?=\s?(?:is\b|[:=]))|(?:correct|final)(?=:)|antwort|lösung|réponse|bonne\soption"
    r"|(?<!nicht\s)(?:richtig|korrekt)(?=\sist\s)"
    r"|option\scorrecte|respuesta|(?:opción|alternativa)\scorrecta|resposta|risposta|choose|chose|select(?:ed)?|pick(?:ed)?|(?:go|going|went)\swith"
    r"|opt(?:ed)?\sfor|wähle|choisis|elijo|escojo)\b"
    r"|答え|答(?=[はがも:])|回答|正解|解答|正答|選択肢(?=[はが:])|答案|正确选项|正確選項"
    r"|(?:的|认为|認為|应该|應該)是"
    r"|[故应應就]?[选選]|정답|답(?=[은이:\s])"
)
_LINK = (
    r"(?:is|was|be|are|would|should|must|will|clearly|therefore|thus|the|option|choice|letter"
    r"|answer|correct|right|final|number|ist|lautet|wäre|die|buchstabe|richtige|korrekte"
    r"|est|serait|la|le|lettre|bonne|réponse|correcte|es|sería|letra|opción|correcta|donc|also|daher|somit|tanto)\b"
    r"|是|为|為|应该|應該|[应應]|[选選]?[项項择擇]|[选選]|は|が|も|の|選択肢|記号|番号"
    r"|은|는|이|가|é|è|[:=*_→、\-]"
)
_GAP = r"(?:\s[^.,;:!?\n。、]{1,60}?\s(?i:is|be|ist|lautet|est|es)(?=\s))?"  # `to the question is`
_LEAD = (
    rf"(?<![A-Za-zÀ-ɏ])(?i:{_NOUN})[*_\"'`]{{0,3}}{_GAP}(?:\s{{0,3}}(?i:{_LINK})){{0,8}}\s{{0,3}}"
)
_LED = re.compile(rf"{_LEAD}{OPEN}\Z")  # `The correct answer is`
_CONCLUDED = re.compile(
    r"(?<![^\W\d_])(?i:think|believe|denke|glaube|pense|creo|therefore|thus|hence|so|also|daher|donc|así\sque|por\slo\stanto"
    r"|(?:it|that|this)(?:\s(?:is|would\sbe|must\sbe)|'s)|es\sist|c'est|es\sla"
    r"|したがって|よって|ゆえに|因此|所以|따라서|그러므로)[,、:]?\s{0,3}"
    rf"(?:(?i:it|it's|is|c'est|es)\s){{0,2}}{OPEN}\Z"
)
_SENTENCE_ENDS = re.compile(rf"{CLOSE}\s?(?:[.!。\n]|\Z)(?![A-Za-z])")
_CONFIRMED = re.compile(
    rf"{CLOSE}\s{{0,2}}"
    r"(?:(?i:is|would\sbe|must\sbe)\s(?i:the\s|clearly\s|indeed\s|therefore\s){0,2}"
    r"(?i:correct|right|best|answer|true)|が(?:正解|正し|答え|適切|最も|一番|該当)|を選"
    r"|(?:です|だ|となります|になります|となる)(?:[。.\n]|\s{0,3}\Z)|と(?:考え|思い|判断|なります)"
    r"|(?:选项|選項|[项項])?(?:是(?:正[确確]|[对對]|答案)|正[确確])"
    r"|(?:이|가)\s?(?:정답|맞|옳)|(?:을|를)\s?(?:선택|고르)|(?:번\s?)?입니다(?:[.\n]|\s{0,3}\Z)|ist\s(?:die\s)?(?i:richtig|korrekt)"
    r"|est\s(?:la\s)?(?i:bonne|correcte?)|es\s(?:la\s)?(?i:correcta|respuesta))"
)
_DENIED = re.compile(
    rf"{CLOSE}\s?(?:(?i:is|are|was)\s(?i:not|wrong|incorrect|false)|(?i:isn't|can't|cannot)"
    r"|[はがも](?:間違|誤|違|正しくな|不正解)|では(?:な|あり)|じゃな|是?[错錯]|不[对對正是]"
    r"|[은는이가]\s?(?:아니|틀)|ist\s(?:falsch|nicht)|est\s(?:faux|fausse|incorrecte?)|n'est\spas"
    r"|(?:es|no\ses)\s(?i:incorrect|fals))"
)
# A label as it stands in a text. A word is none: `Vitamin`, `A's`, `B-cell`, `E.U.`, `アイス`.
_LABEL = re.compile(
    r"(?<![A-Za-zÀ-ɏ0-9'’])(?:(?P<letter>[A-Z])(?![A-Za-zÀ-ɏ'’]|-[^\W\d_]|\.[A-Za-z]\.)"
    rf"|(?<=[(\[])(?P<bracketed>[a-z])(?=[)\]])|(?P<last>[a-z])(?={CLOSE}[.。!]?{CLOSE}\s{{0,3}}(?:\n|\Z)))"
    rf"|(?<![ァ-ヶー])(?P<kana>[{KANA}])(?![ァ-ヶー])"
)
_BETWEEN = re.compile(
    rf"{CLOSE}\s?(?:[/&+、]|,\s?(?:(?:and|or)\s)?|(?:and|or|und|oder|et|ou|y|o|e)\s|と|か|または|及び|和|或|및"
    rf"|또는|[와과나])\s?(?:(?i:option|choice|answer)\s)?{OPEN}"
)
# `A good question`: the article, unless a word follows that goes on after an answer.
_ARTICLE = re.compile(
    r"\s(?!(?i:because|since|as|and|or|but|not|for|which|by|is|with|due|that|from|given|based|so"
    r"|are|was|oder|und|ou|et|y|o|ist|est|es|weil|da|denn|car|parce|puisque|porque|ya)\b)[a-z]"
)
_INSTEAD = (
    ("なく", re.compile(rf"{OPEN}[A-Z{KANA}]{CLOSE}(?:ではなく|じゃなく|でなく)て?[、,]?\s?"), ""),
    ("but", re.compile(rf"\b(?i:not)\s{OPEN}[A-Z]{CLOSE},?\s(?i:but)\b"), ""),
    ("sondern", re.compile(rf"\b(?i:nicht|kein)\s{OPEN}[A-Z]{CLOSE},?\ssondern\b"), ""),
    ("mais", re.compile(rf"\b(?i:n'est\spas)\s{OPEN}[A-Z]{CLOSE},?\smais\b"), "est"),
    ("sino", re.compile(rf"\b(?i:no\ses)\s{OPEN}[A-Z]{CLOSE},?\ssino\b"), "es"),
    ("而是", re.compile(rf"不是{OPEN}[A-Z]{CLOSE}[,，]?而是"), "是"),
    ("아니라", re.compile(rf"{OPEN}[A-Z]{CLOSE}[이가]\s아니라,?\s?"), ""),
)
_LONGEST_LEAD = 100
_MOST_LABELS = 200


@dataclass(frozen=True, slots=True)
class Mention:
    """One or more labels that stand together, as in `A or B`.

    Args:
        start: where the first begins.
        end: where the last ends.
        indexes: the choices, without repetition.
    """

    start: int
    end: int
    indexes: frozenset[int]


def stated(text: str, n_choices: int) -> tuple[bool, int | None]:
    """Return whether an answer is stated, and which: the last statement counts.

    None if that names several labels.
    """
    for word, pattern, instead in _INSTEAD:
        if word in text:
            text = pattern.sub(instead, text)
    for mention in reversed(mentions(text, n_choices)):
        if _is_statement(text, mention):
            return True, min(mention.indexes) if len(mention.indexes) == 1 else None
    return False, None


def mentions(text: str, n_choices: int) -> list[Mention]:
    """Find the labels that a text speaks of, but for those that it says to be wrong."""
    found: list[Mention] = []
    for label in [*_LABEL.finditer(text)][-_MOST_LABELS:]:
        index = label_index(label[0], n_choices)
        if index is None or _DENIED.match(text, label.end()):
            continue
        if label[0] in "AI" and _ARTICLE.match(text, label.end()):
            continue
        start, indexes = label.start(), frozenset((index,))
        if found and _BETWEEN.fullmatch(text, found[-1].end, start):
            before = found.pop()
            start, indexes = before.start, before.indexes | indexes
        found.append(Mention(start, label.end(), indexes))
    return found


def follows_lead(text: str, start: int) -> bool:
    """Stands what begins at `start` behind "the answer is" or the like?"""
    return _LED.search(text, max(0, start - _LONGEST_LEAD), start) is not None


def label_index(label: str, n_choices: int) -> int | None:
    """Return the place of a letter or kana; None if there are not so many choices."""
    index = KANA.find(label) if label in KANA else LETTERS.find(label.upper())
    return index if 0 <= index < n_choices else None


def _is_statement(text: str, mention: Mention) -> bool:
    start, end = mention.start, mention.end
    if follows_lead(text, start) or _CONFIRMED.match(text, end):
        return True
    before = max(0, start - _LONGEST_LEAD)
    return bool(_SENTENCE_ENDS.match(text, end) and _CONCLUDED.search(text, before, start))
