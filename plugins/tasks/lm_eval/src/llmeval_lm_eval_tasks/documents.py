"""What people see of one of lm-eval's documents: the question, what is right, the choices."""

from __future__ import annotations

from typing import Any

from llmeval_core.hooks import Sample

_FIELDS = ("doc_to_text", "doc_to_target", "doc_to_choice")


class SeenFields:
    """What a task's fields said of the document at hand while its prompt was made.

    They are not asked again: that takes time, and a function may draw random numbers.

    Args:
        task: lm-eval's task object, this stream's own; Any: it has no types.
    """

    def __init__(self, task: Any) -> None:
        self._doc: Any = None
        self._values: dict[str, Any] = {}
        for name in _FIELDS:
            if hasattr(task, name):
                setattr(task, name, self._watched(name, getattr(task, name)))

    def begin(self, doc: Any) -> None:
        """Look at another document."""
        self._doc = doc
        self._values = {}

    def _watched(self, name: str, field: Any) -> Any:
        def watched(doc: Any, *args: Any, **kwargs: Any) -> Any:
            found = field(doc, *args, **kwargs)
            if doc is self._doc:
                self._values[name] = found
            return found

        return watched

    def sample(self, number: int, context: Any) -> Sample:
        """Make the sample of the document; its id is lm-eval's `doc_id`.

        Args:
            number: the document's place.
            context: the prompt, or one for each choice.
        """
        text, target, listed = (self._values.get(name) for name in _FIELDS)
        prompt = context[-1] if isinstance(context, list) else context
        choices = _texts(listed) if isinstance(listed, list | tuple) else ()
        answer = text if isinstance(text, int) else target  # of several inputs it is the index
        if isinstance(answer, str) and answer in choices:
            answer = choices.index(answer)
        right = answer if type(answer) is int and 0 <= answer < len(choices) else None
        return Sample(
            str(number),
            text if isinstance(text, str) else str(prompt),
            references=_texts(target) if right is None else (choices[right],),
            choices=() if right is None else choices,
            answer=right,
        )


def _texts(value: Any) -> tuple[str, ...]:
    """Write what a field has as texts; Any: whatever the data have."""
    if value is None:
        return ()
    listed = value if isinstance(value, list | tuple) else [value]
    return tuple(one if isinstance(one, str) else str(one) for one in listed)
