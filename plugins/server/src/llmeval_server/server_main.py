"""The main program of a server process: folder, address, worker, application."""

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
from llmeval_server.app_factory import make_app
from llmeval_server.context import ServerContext
from llmeval_server.home_lock import HomeLock
from llmeval_server.jobs.dbos_store import open_store
from llmeval_server.processes.termination import TerminationWatchdog, exit_now
from llmeval_server.server_log import DeliveryLogFollower, start_logging
from llmeval_server.server_settings import ServerSettings
from llmeval_server.settings_sources import variables_for_worker
from llmeval_server.worker_supervisor import WorkerSupervisor, worker_command

_PROCESS = "api"
_LAST_REQUESTS_S = 2
"""How long requests may go on after SIGTERM, seconds; event streams would never end."""
_CANCEL_S = 0.5
"""How long cancelled requests may take to end, seconds."""

# The shutdown's timetable, in seconds after SIGTERM: requests end by 2, plugin routes by 7.5 (an
# embedded MLflow by 5.5), the worker by 7; the watchdog kills what is left at 9.


def serve(settings: ServerSettings, *, with_worker: bool, disabled: Sequence[str]) -> NoReturn:
    """Serve until Ctrl-C or SIGTERM, then exit.

    Args:
        settings: the server's settings.
        with_worker: whether to run jobs too.
        disabled: the names of plugins that are not loaded.

    Raises:
        LlmevalError: the folder or the address is taken, or the job store cannot be opened.
    """
    try:
        # For a SIGTERM before uvicorn installs its own handler.
        signal.signal(signal.SIGTERM, _interrupt)
        with ExitStack() as stack:
            stack.enter_context(TerminationWatchdog())
            code = _serve(settings, stack, with_worker=with_worker, disabled=disabled)
    except KeyboardInterrupt:
        code = 0
    exit_now(code)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _serve(
    settings: ServerSettings, stack: ExitStack, *, with_worker: bool, disabled: Sequence[str]
) -> int:
    lock = HomeLock(settings.home, "server")
    stack.callback(lock.release)  # before it is taken: a signal may come at once
    lock.acquire()
    listening = stack.enter_context(listen(settings))
    url = url_of(settings, listening)
    lock.write_holder(address=url)
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
    companion = _companion(settings, with_worker=with_worker, disabled=disabled)
    stack.callback(companion.stop)
    companion.start()
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
    server = _UvicornServer(
        config, on_ready=lambda: _print_address(url, new_token), companion=companion
    )
    # The standard loop: uvloop would take the watchdog's wakeup descriptor. The loop is never
    # closed, because that waits for threads that may never end.
    asyncio.new_event_loop().run_until_complete(server.serve(sockets=[listening]))
    for number in (signal.SIGINT, signal.SIGTERM):  # the companion may still be stopping
        signal.signal(number, server.handle_exit)
    return 0 if server.started else 1


def _companion(
    settings: ServerSettings, *, with_worker: bool, disabled: Sequence[str]
) -> WorkerSupervisor | DeliveryLogFollower:
    """Make what runs beside the server: its worker, or what shows the log of another one."""
    if with_worker:
        command = worker_command(disabled_plugins=disabled)
        return WorkerSupervisor(command, variables_for_worker(settings))
    return DeliveryLogFollower(settings.home, _PROCESS, lambda line: click.echo(line, err=True))


class _UvicornServer(uvicorn.Server):
    """Uvicorn with a callback when it is ready, and a companion that stops together with it.

    The first signal lets requests end; the second one cancels them and kills the worker.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        *,
        on_ready: Callable[[], None],
        companion: WorkerSupervisor | DeliveryLogFollower,
    ) -> None:
        super().__init__(config)
        self._on_ready = on_ready
        self._companion = companion

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to accept requests."""
        await super().startup(sockets)
        if self.started:
            self._on_ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin the shutdown, or speed it up; unlike uvicorn, do not raise the signal again."""
        if self.should_exit:
            self.force_exit = True
            self._companion.kill()
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let requests end while the companion stops."""
        self._companion.request_stop()
        await super().shutdown(sockets)
        if self.force_exit:  # then uvicorn skips both, and what routes started would be left
            if tasks := tuple(self.server_state.tasks):
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks, timeout=_CANCEL_S)
            await self.lifespan.shutdown()


def listen(settings: ServerSettings) -> socket.socket:
    """Bind and listen, before anything else is started.

    Raises:
        ConfigError: the address is taken, not local, or not valid.
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
    """Return the server's address for a browser."""
    port = listening.getsockname()[1]
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{port}{settings.root_path.rstrip('/')}/"


def _print_address(url: str, new_token: str | None) -> None:
    click.echo(f"llmeval serves {url}  (Ctrl-C ends it)")
    if new_token is not None:
        click.echo(f"token: {new_token}  (shown once; set LLMEVAL_TOKEN to choose your own)")
    sys.stdout.flush()
