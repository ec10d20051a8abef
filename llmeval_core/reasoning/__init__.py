"""Reasoning told apart from the answer: what stands between tags in a text is a thought.

Where a server tells reasoning apart itself (`Generation.reasonings`), nothing is left to do here.
Others send it in the text, in one of these forms:

* `<think>...</think>` and the like, with attributes, spaces and in any case of letters; also
  without the opening tag, because many chat templates put that into the prompt; several times;
  one in another.
* never closed: the model was still thinking when it ended, and from the tag on there is no answer.
* channels (gpt-oss): only the last `final` channel is the answer.
* phrases (Granite, Apriel): `Here is my thought process:`, at the very beginning only.

The rule: everything up to the last closing tag is reasoning, and so is everything from a tag that
is never closed. Where nothing follows the last thought, the answer stands before it. A tag in a
code span, in a closed code block or in quotation marks is spoken of,
not used, unless a thought would be open to the end without it.

Conversations of several turns are told here too: what was new in each, without the thoughts.
"""

from llmeval_core.reasoning.conversation_lines import call_line, conversation_text, message_line
from llmeval_core.reasoning.finder import (
    KNOWN_TAGS,
    ReasoningFinder,
    Tags,
    reasoning_finder,
    split_answers,
    tags_in,
)
from llmeval_core.reasoning.split import ReasoningSplit
from llmeval_core.reasoning.turns_as_text import ToldTurn, told_turns

__all__ = [
    "KNOWN_TAGS",
    "ReasoningFinder",
    "ReasoningSplit",
    "Tags",
    "ToldTurn",
    "call_line",
    "conversation_text",
    "message_line",
    "reasoning_finder",
    "split_answers",
    "tags_in",
    "told_turns",
]
