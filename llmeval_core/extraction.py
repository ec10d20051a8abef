"""Finding the answer in a generation, as the task setting `extract` says."""

from __future__ import annotations

import functools
import operator
import re
from collections import deque
from collections.abc import Callable
from itertools import islice

from llmeval_core.config import ExtractConfig, ExtractRule, extract_rules
from llmeval_core.errors import ConfigError

_FLAGS = {"ignore_case": re.IGNORECASE, "multiline": re.MULTILINE, "dotall": re.DOTALL}
_BRACE = re.compile(
    r"\\{1,3}(?:boxed|fbox)(?:\s*+(?P<open>\{)|\s++(?P<word>[^\s{}$\\]+))|\\.|[{}]", re.DOTALL
)


class Extractor:
    """Finds the answer in a text; made once a task, called once an answer.

    Of several rules the first that finds a text counts. What is found loses the white space
    around it. Where no rule finds anything the answer is the empty text.

    Python's `re` cannot be interrupted: a pattern such as `(a+)+b`, which can match one text in
    very many ways, may take for ever on a long answer.

    Args:
        extract: the setting.
        where: how an error names the place of the setting.

    Attributes:
        reads_groups_in_turn: whether a pattern that is written as plain text has several groups;
            in earlier versions only the first of them was read.

    Raises:
        ConfigError: a pattern is not a regular expression.
    """

    __slots__ = ("_rules", "reads_groups_in_turn")

    def __init__(self, extract: ExtractConfig, *, where: str) -> None:
        self.reads_groups_in_turn = False
        self._rules = tuple(self._function(rule, where) for rule in extract_rules(extract))

    def __call__(self, text: str) -> str:
        """Return what stands where the answer should be; empty if nothing does."""
        for find in self._rules:
            found = find(text)
            if found:
                return found
        return ""

    def _function(self, rule: ExtractRule | str, where: str) -> Callable[[str], str]:
        if isinstance(rule, str):
            pattern = _compiled(rule, 0, where)
            self.reads_groups_in_turn |= pattern.groups > 1
            return _by_pattern(pattern, 0, _first_group)
        if rule.last_line:
            return last_line
        if rule.pattern is None:
            return _in_box(_index(rule.match or "last"))
        flags = functools.reduce(operator.or_, (_FLAGS[name] for name in rule.flags), 0)
        answer_of = _joined_groups if rule.groups == "joined" else _first_group
        pattern = _compiled(rule.pattern, flags, where)
        return _by_pattern(pattern, _index(rule.match or "first"), answer_of)


def boxed_texts(text: str) -> list[str]:
    r"""Return what stands in each `\boxed{...}` of a text, in the order in which they begin.

    Braces are balanced, `\{` and `\}` are none, and a box that is never closed is left out.
    `\fbox{...}` is a box, and so is `\boxed 5` without braces.
    Takes one pass whatever stands in the text.
    """
    if "box" not in text:
        return []
    open_braces: list[int | None] = []  # where the box begins; None for any other brace
    found: list[tuple[int, str]] = []
    for token in _BRACE.finditer(text):
        if token["open"]:
            open_braces.append(token.end())
        elif token["word"]:
            found.append((token.start("word"), token["word"]))
        elif token.group() == "{":
            open_braces.append(None)
        elif token.group() == "}" and open_braces:
            start = open_braces.pop()
            if start is not None:
                found.append((start, text[start : token.start()]))
    return [content for _, content in sorted(found)]


def last_line(text: str) -> str:
    """Return the last line that is not blank, without the white space around it."""
    return text.rstrip().rpartition("\n")[2].strip()


def _compiled(pattern: str, flags: int, where: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern, flags)
    except (re.error, RecursionError, OverflowError) as err:
        raise ConfigError(f"extract is not a regular expression: {err}", where=where) from err


def _index(match: str | int) -> int:
    """Return the index of a match: from 0, or below 0 from the end."""
    if isinstance(match, int):
        return match - 1 if match > 0 else match
    return 0 if match == "first" else -1


def _in_box(index: int) -> Callable[[str], str]:
    def find(text: str) -> str:
        boxes = boxed_texts(text)
        return boxes[index].strip() if -len(boxes) <= index < len(boxes) else ""

    return find


def _by_pattern(
    pattern: re.Pattern[str], index: int, answer_of: Callable[[re.Match[str]], str]
) -> Callable[[str], str]:
    def find_from_start(text: str) -> str:
        match = next(islice(pattern.finditer(text), index, None), None)
        return "" if match is None else answer_of(match)

    def find_from_end(text: str) -> str:
        last = deque(pattern.finditer(text), maxlen=-index)
        return answer_of(last[0]) if len(last) == -index else ""

    if index == 0:
        return lambda text: answer_of(match) if (match := pattern.search(text)) else ""
    return find_from_start if index > 0 else find_from_end


def _joined_groups(match: re.Match[str]) -> str:
    """Return all groups that took part, one after another."""
    return "".join(match.groups("")).strip()


def _first_group(match: re.Match[str]) -> str:
    """Return the first group that is not blank, or the whole match without groups."""
    if not match.re.groups:
        return match.group().strip()
    for group in match.groups():
        if group and (stripped := group.strip()):
            return stripped
    return ""
