"""A server from its start to its end: folder, address, worker, application."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from types import FrameType
from typing import NoReturn

import click
import uvicorn
from pydantic import SecretStr

from llmeval_core.api import make_session
from llmeval_core.hooks import ConfigError
from llmeval_server.assembly import make_app
from llmeval_server.claim import Claim
from llmeval_server.context import ServerContext
from llmeval_server.jobs.dbos_store import open_store
from llmeval_server.logs import DeliveryLines, start_logging
from llmeval_server.processes.ending import Watched, leave
from llmeval_server.settings import ServerSettings
from llmeval_server.settings_from import variables_for_worker
from llmeval_server.supervising import WorkerKeeper, worker_command

_PROCESS = "api"
_LAST_REQUESTS_S = 2
"""How long requests under way may take at the end; streams of events never end by themselves."""
_CUT_OFF_S = 0.5
"""How long requests may take to notice that they were cut off."""

# The end in time, in seconds after SIGTERM: requests until 2, routes of plugins until 7.5 (an
# MLflow of our own until 5.5), the worker until 7; what still hangs at 9 is killed from outside.


def serve(settings: ServerSettings, *, with_worker: bool, disabled: Sequence[str]) -> NoReturn:
    """Serve until Ctrl-C or SIGTERM, and end the process.

    Args:
        settings: of the server.
        with_worker: whether to run jobs too.
        disabled: plugins to be left alone.

    Raises:
        LlmevalError: the folder or the address is taken, or jobs cannot be kept.
    """
    try:
        # SIGTERM before the server listens to it; after that it gives the signal back to us.
        signal.signal(signal.SIGTERM, _leave)
        with ExitStack() as stack:
            stack.enter_context(Watched())
            code = _serve(settings, stack, with_worker=with_worker, disabled=disabled)
    except KeyboardInterrupt:
        code = 0
    leave(code)


def _leave(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _serve(
    settings: ServerSettings, stack: ExitStack, *, with_worker: bool, disabled: Sequence[str]
) -> int:
    claim = stack.enter_context(Claim(settings.home, "server"))
    listening = stack.enter_context(listen(settings))
    url = url_of(settings, listening)
    claim.note(url)
    new_token = None
    if settings.token is None and not settings.is_loopback:
        new_token = secrets.token_urlsafe(24)
        settings = settings.model_copy(update={"token": SecretStr(new_token)})
    session = make_session(disabled=disabled)
    if settings.token is not None:
        session.catalog.redactor.add(settings.token.get_secret_value())
    start_logging(settings.home, _PROCESS, session.catalog.redactor)
    store = open_store(settings)
    stack.callback(store.close)
    beside = _beside(settings, with_worker=with_worker, disabled=disabled)
    stack.callback(beside.stop)
    beside.start()
    routes = tuple(session.host.registered("routes"))
    app = make_app(ServerContext(settings, session, store, routes))
    config = uvicorn.Config(
        app,
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=_LAST_REQUESTS_S,
    )
    server = _Server(config, ready=lambda: _greet(url, new_token), beside=beside)
    # A plain loop: uvloop would take the wakeup descriptor. It is never closed, as closing it
    # waits for threads that may never end.
    asyncio.new_event_loop().run_until_complete(server.serve(sockets=[listening]))
    for number in (signal.SIGINT, signal.SIGTERM):  # what is beside us may still be ending
        signal.signal(number, server.handle_exit)
    return 0 if server.started else 1


def _beside(
    settings: ServerSettings, *, with_worker: bool, disabled: Sequence[str]
) -> WorkerKeeper | DeliveryLines:
    """Make what runs beside the server: its worker, or what shows the words of another one."""
    if with_worker:
        command = worker_command(disabled_plugins=disabled)
        return WorkerKeeper(command, variables_for_worker(settings))
    return DeliveryLines(settings.home, _PROCESS, _show)


class _Server(uvicorn.Server):
    """Says when it is ready, and ends what is beside it at the same time as itself.

    A first signal lets requests under way end; a second one cuts them off and kills the worker.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        *,
        ready: Callable[[], None],
        beside: WorkerKeeper | DeliveryLines,
    ) -> None:
        super().__init__(config)
        self._ready = ready
        self._beside = beside

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to answer."""
        await super().startup(sockets)
        if self.started:
            self._ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to end, or hurry; the signal is not raised again when all is over."""
        if self.should_exit:
            self.force_exit = True
            self._beside.hurry()
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let requests under way end, and what is beside us at the same time."""
        self._beside.end_soon()
        await super().shutdown(sockets)
        if self.force_exit:  # then uvicorn leaves both out, and with them what routes started
            if tasks := tuple(self.server_state.tasks):
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks, timeout=_CUT_OFF_S)
            await self.lifespan.shutdown()


def listen(settings: ServerSettings) -> socket.socket:
    """Take the address before anything else is started.

    Raises:
        ConfigError: it is taken, not ours, or no address.
    """
    try:
        found = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        family, kind, protocol, _, address = found[0]
        listening = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as err:
        raise ConfigError(
            f"cannot listen on '{settings.host}': {err}",
            where="--host",
            hint="127.0.0.1 is for this machine alone, 0.0.0.0 for all networks",
        ) from err
    try:
        if os.name == "posix":  # on Windows it would allow two servers on one port
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(1024)
    except OSError as err:
        listening.close()
        raise ConfigError(
            f"cannot listen on {settings.host}:{settings.port}: {err.strerror}",
            where="--port",
            hint="another program may have this port; choose one with --port, 0 for a free one",
        ) from err
    return listening


def url_of(settings: ServerSettings, listening: socket.socket) -> str:
    """Return the address as a browser wants it."""
    port = listening.getsockname()[1]
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{port}{settings.root_path.rstrip('/')}/"


def _greet(url: str, new_token: str | None) -> None:
    click.echo(f"llmeval serves {url}  (Ctrl-C ends it)")
    if new_token is not None:
        click.echo(f"token: {new_token}  (shown once; set LLMEVAL_TOKEN to choose your own)")
    sys.stdout.flush()


def _show(line: str) -> None:
    click.echo(line, err=True)
