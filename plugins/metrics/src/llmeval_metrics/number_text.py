r"""Bringing the many ways to write a number into one, before numbers are looked for.

What comes out has ASCII digits, `-` or the true minus for signs, `'` for every apostrophe, one
space for every kind of space, `^{3}` for raised digits, `1/2` for vulgar fractions, `\frac` for
every LaTeX fraction, and neither currency signs nor invisible characters.
"""

from __future__ import annotations

import html
import re
import unicodedata

from llmeval_core.hooks import without_invisible

_HYPHENS = "‐‑‒–—―˗➖▲△"  # ▲ and △ are the minus of Japanese accounts
_APOSTROPHES = "’‘ʼ′＇´`"
_RAISED = {ord(raised): plain for raised, plain in zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-", strict=True)}
_VULGAR = {
    code: f"{over}/{under}"
    for code, over, under in (
        (0xBC, 1, 4), (0xBD, 1, 2), (0xBE, 3, 4), (0x2150, 1, 7), (0x2151, 1, 9), (0x2152, 1, 10),
        (0x2153, 1, 3), (0x2154, 2, 3), (0x2155, 1, 5), (0x2156, 2, 5), (0x2157, 3, 5),
        (0x2158, 4, 5), (0x2159, 1, 6), (0x215A, 5, 6), (0x215B, 1, 8), (0x215C, 3, 8),
        (0x215D, 5, 8), (0x215E, 7, 8), (0x2189, 0, 3),
    )
}  # fmt: skip
_PLAIN: dict[int, str | None] = {
    **dict.fromkeys(map(ord, _HYPHENS), "-"),
    **dict.fromkeys(map(ord, _APOSTROPHES), "'"),
    **dict.fromkeys(map(ord, "₀₁₂₃₄₅₆₇₈₉₊₋⁺⁻")),  # indices
    **dict.fromkeys(map(ord, "㎟㎠㎡㎢㎣㎤㎥㎦㎨㎯"), "m"),  # NFKC would make m2 of them
    **dict.fromkeys(map(ord, "⁄∕"), "/"),
    **dict.fromkeys(map(ord, "⋅∙•"), "·"),
    **_VULGAR,
    ord("٫"): ".",
    ord("٬"): ",",
    ord("،"): ",",
    ord("٪"): "%",
}
_MONEY = "[$¢£¤¥֏؋৲৳৻૱௹฿៛\u20a0-\u20cf﷼﹩＄￠￡￥￦]"
_ANY_MONEY = re.compile(_MONEY)
_MONEY_BETWEEN = re.compile(  # `$5$10` and `US$-5`, where dropping it would join
    rf"(?<=\d){_MONEY}+(?=\d)|(?<=[^\W\d_]){_MONEY}+(?=\.?\d)|(?<=[A-Z]){_MONEY}+(?=[-+−])"
)
_EURO = _MONEY.replace("$", "").replace("＄", "")
_PRICE = re.compile(  # `$` also stands around formulas
    rf"(?<![0-9.,])([0-9]++),([0-9]{{1,2}})(?=\s?{_EURO})|(?<={_EURO})(\s?[0-9]++),([0-9]{{2}})(?![0-9,])"
)
_RAISED_RUN = re.compile("[⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_VULGAR_AFTER_DIGIT = re.compile(rf"(?<=\d)([{''.join(map(chr, _VULGAR))}])")
_OTHER_DIGIT = re.compile(r"(?![0-9])\d")

_SEPARATOR = re.compile(r"(?:\\{1,2}[a-z]{1,10})?\{\s?(\\{0,2}[,.;:! ])\s?\}")
_COMMAND = re.compile(r"\\{1,2}([A-Za-z]{1,30}|[^\w+\-−.])")
_COMMANDS = {
    **dict.fromkeys(("frac", "dfrac", "tfrac", "cfrac"), r"\frac"),
    **dict.fromkeys(("pi", "alpha", "beta", "theta", "phi", "infty", "sigma", "lambda"), "π"),
    **{sign: sign for sign in "%#&$"},
    "times": "×",
    "cdot": "·",
    "div": "÷",
    "over": "/",
    "!": "",
}
_REPEATING = re.compile(r"([0-9]*+\.[0-9]*+)\\{1,2}(?:overline|bar|dot)\s?\{\s?([0-9]{1,12})\s?\}")
_N_REPEATED = 20
_SPACED_SIGN = re.compile(r"\A\s*([-−–])\s+(?=[\d.\\])")
_SPACED_SIGN_IN_MATHS = re.compile(r"\$\s?([-−])\s{1,3}(?=[\d.\\])")
_POWER = re.compile(r"([0-9])?( ?)\^\s*+(?:\{\s*+([^{}]*+)\}|([-+−]?[0-9]++))")
_EXPONENT = re.compile(r"[-+−]?\s?[0-9]{1,4}\s?")


def plain_numbers(text: str) -> str:
    """Write all numbers of a text in one way; see the module."""
    if "&" in text:
        text = html.unescape(text)
    if not text.isascii():
        text = _ascii_numbers(text)
    if "\\" in text or "{" in text:
        text = _REPEATING.sub(_repeat, text)
        text = _SEPARATOR.sub(_separator, text)
        text = _COMMAND.sub(lambda found: _COMMANDS.get(found[1], " "), text)
    if _ANY_MONEY.search(text):
        text = _SPACED_SIGN_IN_MATHS.sub(r"$\1", text)
        text = _ANY_MONEY.sub("", _MONEY_BETWEEN.sub(" ", text))
    return _POWER.sub(_power, text) if "^" in text else text


def _ascii_numbers(text: str) -> str:
    text = _RAISED_RUN.sub(
        lambda run: f"^{{{run.group().translate(_RAISED)}}}", without_invisible(text)
    )
    text = _VULGAR_AFTER_DIGIT.sub(r" \1", text).translate(_PLAIN)
    text = _PRICE.sub(lambda price: ".".join(filter(None, price.groups())), text)
    text = unicodedata.normalize("NFKC", text)
    return _OTHER_DIGIT.sub(lambda digit: str(unicodedata.decimal(digit.group())), text)


def as_formula(text: str) -> str:
    """Join a sign at the beginning to its number: in a formula it marks no item of a list."""
    return _SPACED_SIGN.sub(r"\1", text)


def _repeat(found: re.Match[str]) -> str:
    r"""Write `0.\overline{3}` as 0.3333..., so long that a float has no more digits."""
    return found[1] + (found[2] * _N_REPEATED)[:_N_REPEATED]


def _separator(found: re.Match[str]) -> str:
    r"""Replace `{,}` by its comma, `{\,}` by a space, `{\!}` by nothing."""
    sign = found[1].lstrip("\\")
    if sign in ",." and sign == found[1]:
        return sign
    return "" if sign == "!" else " "


def _power(found: re.Match[str]) -> str:
    """Keep an exponent of a number as `^{3}`, and drop those of letters and brackets."""
    digit, space, in_braces, bare = found.groups()
    exponent = in_braces if in_braces is not None else bare
    if digit is None:
        return str(space)
    return f"{digit}^{{{exponent.strip()}}}" if _EXPONENT.fullmatch(exponent) else str(digit)
