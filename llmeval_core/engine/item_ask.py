"""How one item of a task asks models; what it asked is kept in the order in which it asked."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import NoReturn

from llmeval_core.contracts import MODEL, Question, UnansweredError
from llmeval_core.engine.model_service import ModelService
from llmeval_core.engine.turn_places import Place, TurnPlaces
from llmeval_core.errors import ConfigError, LlmevalError, ModelError
from llmeval_core.prompting import make_request
from llmeval_core.reasoning import ReasoningFinder, split_answers
from llmeval_core.records import Failure, Generation, GenerationSettings, Request, Turn

_MOST_CANDIDATES = 16
"""Earlier requests of an item that are looked at for one that the next request continues."""


@dataclass(frozen=True, slots=True)
class RoleService:
    """A role in a task: who has it, how it generates, and whether it can be asked now.

    Args:
        service: asks the model that has it.
        settings: how to generate, unless a question says otherwise.
        reasoning: tells its thoughts apart.
        is_deferred: whether who asks it is put away, because its model cannot be open beside
            another one.
        is_over: whether only what was answered before can be had, because its model was closed for
            another one.
    """

    service: ModelService
    settings: GenerationSettings
    reasoning: ReasoningFinder
    is_deferred: bool = False
    is_over: bool = False


def _of_role(failure: Failure, role: str, model: str) -> Failure:
    """Say which model failed, if it is not the evaluated one."""
    if role == MODEL:
        return failure
    who = f"{role} {model}"
    return replace(failure, where=f"{who}, {failure.where}" if failure.where else who)


class ItemAsk:
    """The `Ask` of one item.

    Args:
        roles: the task's roles, `model` among them.
        sample_id: the item's sample.
        where: the task, for messages.
        put_away: is called when the item can go on only later.
        newer_than: asks anew what was answered before this, seconds since 1970; None for nothing.

    Attributes:
        error: why the task cannot go on; None if it can.
        was_stopped: whether something was not asked because the run was stopped.
    """

    def __init__(
        self,
        roles: Mapping[str, RoleService],
        sample_id: str,
        *,
        where: str,
        put_away: Callable[[], None],
        newer_than: float | None = None,
    ) -> None:
        self._roles = roles
        self._newer_than = newer_than
        self._began_at = time.monotonic()
        self._sample_id = sample_id
        self._where = where
        self._put_away = put_away
        self._places = TurnPlaces()
        self._turns: dict[Place, Turn] = {}
        self._n_pending = 0
        self._is_deferred = False
        self._late: Failure | None = None
        self.error: Exception | None = None
        self.was_stopped = False

    @property
    def turns(self) -> tuple[Turn, ...]:
        """What was asked and answered, in the order of asking; what was asked twice, once."""
        first: dict[tuple[str, str], Turn] = {}
        for place in sorted(self._turns):
            turn = self._turns[place]
            first.setdefault((turn.role, turn.request.fingerprint), turn)
        return tuple(first.values())

    @property
    def is_outdated(self) -> bool:
        """Whether an answer was replaced meanwhile: what was made of the old one does not count."""
        return self._newer_than is None and any(
            self._roles[turn.role].service.renewed.was_kept_since(
                turn.request.fingerprint, self._began_at
            )
            for turn in self.turns
        )

    def end(self, late: Failure) -> None:
        """Ask nothing more: what was not answered before comes to no answer for this reason."""
        self._late = late

    def _answered_before(self, request: Request, role: str, late: Failure) -> Generation:
        for turn in self.turns:
            if turn.role == role and turn.request.fingerprint == request.fingerprint:
                return turn.generation
        raise UnansweredError(late, role)

    async def __call__(self, question: Question, *, role: str = MODEL) -> Generation:
        """Ask; see `contracts.Ask`."""
        found = self._role(role)
        request = self._request(question, found)
        if self._late is not None:
            return self._answered_before(request, role, self._late)
        if found.is_deferred:
            self._is_deferred = True
            self._put_away_if_idle()
            await asyncio.get_running_loop().create_future()  # until it is cancelled
        place = self._places.next()
        self._n_pending += 1
        try:
            answer = await self._answer(found, request, role, is_follow_up=bool(self._turns))
        finally:
            self._n_pending -= 1
            if self._is_deferred:  # when the task has gone on, and asks nothing more
                asyncio.get_running_loop().call_soon(self._put_away_if_idle)
        if isinstance(answer, Failure):
            self.was_stopped |= answer.kind == "stopped"
            raise UnansweredError(_of_role(answer, role, found.service.model.name), role)
        self._turns[place] = Turn(role, request, answer)
        return answer

    def without_reasoning(self, generation: Generation, *, role: str = MODEL) -> str:
        """Return the first answer without its thoughts; see `contracts.Ask`."""
        split = next(iter(split_answers(generation, self._role(role).reasoning)), None)
        return split.answer if split is not None else ""

    def _role(self, name: str) -> RoleService:
        found = self._roles.get(name)
        if found is None:
            self._fail(
                ConfigError(
                    f"the task asks the role '{name}', which it does not name in its `roles`",
                    where=self._where,
                    hint="this is a bug in the plugin; tell its author",
                )
            )
        return found

    def _put_away_if_idle(self) -> None:
        if not self._n_pending:
            self._put_away()

    def _request(self, question: Question, role: RoleService) -> Request:
        model = role.service.model
        if question.mode not in model.info.modes:
            self._fail(
                ConfigError(
                    f"model '{model.name}' cannot be asked for {question.mode}",
                    where=self._where,
                    hint=f"it can: {', '.join(sorted(model.info.modes))}",
                )
            )
        return make_request(
            question,
            sample_id=self._sample_id,
            model=model,
            settings=question.settings or role.settings,
        )

    async def _answer(
        self, role: RoleService, request: Request, name: str, *, is_follow_up: bool
    ) -> Generation | Failure:
        model = role.service.model.name
        try:
            answer = await role.service.ask(
                request,
                parent=self._parent(request),
                is_follow_up=is_follow_up,
                only_known=role.is_over,
                newer_than=self._newer_than,
            )
        except ModelError as err:
            if name == MODEL:
                self._fail(err)
            # Not a ModelError: that would end the tasks of the model that is evaluated.
            what = f"the {name}, {model}, cannot be asked: {err.what}"
            self._fail(LlmevalError(what, where=self._where, hint=err.hint))
        except Exception as err:  # noqa: BLE001  remembered, whatever the plugin makes of it
            self._fail(err)
        if name != MODEL and isinstance(answer, Failure) and role.service.keeps_refusing:
            n_refused = role.service.n_refused_in_a_row
            why = f"{n_refused} requests in a row were refused: {answer.message}"
            what = f"the {name}, {model}, cannot be asked: {why}"
            self._fail(LlmevalError(what, where=self._where, hint=answer.hint))
        if role.is_over and isinstance(answer, Failure):
            what = f"'{model}' is asked again after another model that works in a process"
            hint = "give one of them a server of its own: they would have to be open together"
            self._fail(LlmevalError(what, where=self._where, hint=hint))
        return answer

    def _fail(self, error: Exception) -> NoReturn:
        """Raise what ends the task, and remember it: a plugin may catch it."""
        self.error = self.error or error
        raise error

    def _parent(self, request: Request) -> Request | None:
        """Find the answered request whose messages this one continues; the longest of the last."""
        messages = request.messages
        best: Request | None = None
        for turn in itertools.islice(reversed(self._turns.values()), _MOST_CANDIDATES):
            known = turn.request
            if not 0 < len(known.messages) < len(messages):
                continue
            is_longer = best is None or len(known.messages) > len(best.messages)
            if is_longer and messages[: len(known.messages)] == known.messages:
                best = known
        return best
