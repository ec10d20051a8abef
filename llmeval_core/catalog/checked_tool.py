"""A tool as solvers get it: whatever it does wrong is told under its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from llmeval_core.contracts import DataTool, Tool
from llmeval_core.errors import LlmevalError, PluginError, describe_error, must_propagate
from llmeval_core.naming import Json
from llmeval_core.records import ToolSpec


@dataclass(frozen=True, slots=True)
class CheckedTool:
    """Calls a tool; what it gives is a text, or an error that names it.

    Args:
        tool: the tool.
        plugin: the distribution that it comes from, for messages.
    """

    tool: Tool
    plugin: str

    @property
    def spec(self) -> ToolSpec:
        """What a model is told of it."""
        return self.tool.spec

    async def call(self, arguments: Mapping[str, Json]) -> str:
        """Call it.

        Raises:
            ValueError: by the tool's word the arguments are wrong.
            LlmevalError: it could not do it.
            PluginError: it failed in another way, or gave no text.
        """
        name = self.spec.name
        try:
            told: object = await self.tool.call(arguments)
        except (ValueError, LlmevalError):
            raise
        except OSError as err:  # what it needs is not there; TimeoutError among them
            raise LlmevalError(f"the tool '{name}' failed: {describe_error(err)}") from err
        except BaseException as err:  # plugin boundary: a tool is foreign code
            if must_propagate(err):
                raise
            raise self._bug(f"failed: {describe_error(err)}") from err
        if not isinstance(told, str):
            raise self._bug(f"gave an object of type {type(told).__name__}, no text")
        return told

    def _bug(self, what: str) -> PluginError:
        author = f"a bug in {self.plugin}; tell its author"
        return PluginError(f"the tool '{self.spec.name}' {what} ({author})")


def tool_identity(tool: Tool) -> Json:
    """Say all of a tool that decides answers besides its settings: what is told of it, its data.

    Raises:
        TypeError: its fingerprint is no text.
    """
    told, made = tool.spec.as_json(), tool.tool if isinstance(tool, CheckedTool) else tool
    if not isinstance(made, DataTool):
        return told
    content: object = made.fingerprint()
    if not isinstance(content, str):
        raise TypeError(f"fingerprint() gave a {type(content).__name__}, not a text")
    return [told, content]
