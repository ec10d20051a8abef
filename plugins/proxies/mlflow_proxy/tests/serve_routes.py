"""A process that serves all routes of this plugin: `serve_routes.py HOME`; prints its port."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import uvicorn
from llmeval_mlflow_proxy.plugin import llmeval_register_routes

from plugins.proxies.mlflow_proxy.tests.route_server import mount, route_context


def main() -> None:
    app = mount(llmeval_register_routes(), route_context(Path(sys.argv[1])))
    # With the protocol named, asyncio turns off Nagle, which would cost 40 ms an answer.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    listening.listen()
    print(listening.getsockname()[1], flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listening])


if __name__ == "__main__":
    main()
