"""How a sample of a data set is answered, if one request is not all there is to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from llmeval_core.config import ComponentConfig
from llmeval_core.contracts.asking import Ask, Question
from llmeval_core.naming import Json
from llmeval_core.records import Generation, Mode, Sample, ToolSpec


@runtime_checkable
class Tool(Protocol):
    """What a model may call while it answers."""

    @property
    def spec(self) -> ToolSpec:
        """Its name, what it is good for, and its arguments."""

    async def call(self, arguments: Mapping[str, Json]) -> str:
        """Do it, and return what the model reads.

        The same arguments must give the same text: a sample that was interrupted runs again. One
        that reads a file, or other data that may change, is a `DataTool` too.

        Raises:
            ValueError: the arguments are wrong; the model is told the message.
        """


@runtime_checkable
class DataTool(Protocol):
    """A tool whose answers depend on data besides its settings; an optional part of a `Tool`."""

    def fingerprint(self) -> str:
        """Return a digest of these data, such as `file_sha256(path)`; cheap.

        With other data, samples are answered anew: answers of before say what was there before.
        """


@dataclass(frozen=True, slots=True)
class SolverInput:
    """What a solver gets.

    Args:
        sample: the sample.
        question: what the task's prompt makes of it, with all settings filled in.
        read: gives the answer that metrics will see in a generation: without reasoning, and
            extracted as the task says.
        tools: the tools that the solver asked for, by the names that the model is told.
    """

    sample: Sample
    question: Question
    read: Callable[[Generation], str]
    tools: Mapping[str, Tool] = field(default_factory=dict)


@runtime_checkable
class Solver(Protocol):
    """Answers samples.

    It must do the same again if it gets the same answers, without a clock and with seeded chance:
    a sample that was interrupted is solved again from its beginning, and finds its answers.
    """

    @property
    def definition(self) -> str:
        """The id of what it does, such as `self_consistency@1`; part of every fingerprint.

        So are its settings; of a file that they name it is the path, so that a digest of what is
        in the file belongs into the id.
        """

    @property
    def modes(self) -> frozenset[Mode]:
        """The ways in which a task can be asked with it."""

    @property
    def roles(self) -> Mapping[str, int]:
        """The roles that it asks, and about how many requests a sample makes: `{"model": 5}`."""

    async def solve(self, start: SolverInput, ask: Ask) -> Generation:
        """Answer one sample; return what the metrics judge, mostly one of the answers.

        Raises:
            ValueError: this sample cannot be solved (it has no script, say); it fails with the
                message as the reason.
        """


@runtime_checkable
class ToolUser(Protocol):
    """A solver that lets the model call tools, which its settings name."""

    @property
    def tools(self) -> tuple[ComponentConfig, ...]:
        """The tools as the run file names them; `SolverInput.tools` has them made."""
