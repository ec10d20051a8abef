"""The model may call tools, as often as it likes within bounds, before it answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from pydantic import Field

from llmeval_core.hooks import (
    MODEL,
    Ask,
    ComponentConfig,
    Generation,
    LlmevalError,
    Message,
    Mode,
    Settings,
    SolverInput,
    Tool,
    ToolCall,
)


class ToolLoopSettings(Settings):
    """Which tools, and how often the model is asked."""

    tools: tuple[ComponentConfig, ...] = Field(
        min_length=1,
        examples=[["calculator"]],
        description="The tools by name, with their settings; `llmeval tools` lists them.",
    )
    max_steps: int = Field(
        default=8,
        ge=2,
        le=100,
        description="Most requests a sample; the last one allows no call, so that it is answered.",
    )
    tool_timeout_s: float = Field(
        default=300,
        gt=0,
        allow_inf_nan=False,
        description="How long one call of a tool may take; then the sample fails.",
    )


@dataclass(frozen=True, slots=True)
class ToolLoop:
    """Asks, does what the model calls, tells it what came out, and asks again.

    A call of a tool that is not there, with arguments that are no JSON object, or that the tool
    refuses, is answered by what is wrong: the model may try again.
    """

    settings: ToolLoopSettings

    @property
    def definition(self) -> str:
        """The id of what it does."""
        return "tool_loop@1"

    @property
    def modes(self) -> frozenset[Mode]:
        """Only chats have tools."""
        return frozenset({"chat"})

    @property
    def roles(self) -> Mapping[str, int]:
        """About one call and one answer."""
        return {MODEL: 2}

    @property
    def tools(self) -> tuple[ComponentConfig, ...]:
        """The tools as the run file names them."""
        return self.settings.tools

    async def solve(self, start: SolverInput, ask: Ask) -> Generation:
        """Answer one sample."""
        specs = tuple(tool.spec for tool in start.tools.values())
        question = replace(start.question, tools=specs)
        for step in range(1, self.settings.max_steps + 1):
            is_last = step == self.settings.max_steps
            choice = "none" if is_last else question.tool_choice
            answer = await ask(replace(question, tool_choice=choice))
            if not answer.tool_calls or is_last:
                break
            said = [Message("assistant", answer.text, answer.tool_calls)]
            for call in answer.tool_calls:
                told = await self._result(call, start.tools)
                said.append(Message("tool", told, tool_call_id=call.id))
            question = replace(question, messages=(*question.messages, *said))
        return answer

    async def _result(self, call: ToolCall, tools: Mapping[str, Tool]) -> str:
        """Do what a model calls; what it did wrong is the result.

        Raises:
            LlmevalError: the tool took too long, or could not do it.
        """
        tool = tools.get(call.name)
        if tool is None:
            return f"error: there is no tool '{call.name}', only: {', '.join(tools)}"
        try:
            arguments = _DECODER.decode(call.arguments or "{}")
        except (ValueError, RecursionError) as err:
            return f"error: the arguments are not JSON: {err}"
        if not isinstance(arguments, dict):
            return "error: the arguments are no JSON object"
        try:
            async with asyncio.timeout(self.settings.tool_timeout_s) as limit:
                return await tool.call(arguments)
        except ValueError as err:
            return f"error: {err}"
        except TimeoutError as err:
            if not limit.expired():
                raise
            limit_s = f"{self.settings.tool_timeout_s:g} s, the solver's `tool_timeout_s`"
            raise LlmevalError(f"the tool '{call.name}' took longer than {limit_s}") from err


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number of JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse)
"""NaN and Infinity are Python's, not JSON's."""
