"""A command that behaves as `vllm serve` does, with a real HTTP server and no model.

    python fake_vllm.py serve MODEL --served-model-name NAME --host HOST --port PORT [BEHAVIOUR...]

Behaviours: `--note FILE` adds a line with its process and arguments; `--dies-with TEXT` prints
lines and ends; `--never-ready` answers 503; `--dies-after N` ends at request N+1.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("command", choices=["serve"])
    parser.add_argument("model")
    for name in ("--served-model-name", "--host", "--note", "--dies-with"):
        parser.add_argument(name)
    for name in ("--port", "--dies-after", "--max-model-len"):
        parser.add_argument(name, type=int)
    parser.add_argument("--never-ready", action="store_true")
    return parser.parse_args()


def main() -> None:
    given = arguments()
    if given.note:
        with Path(given.note).open("a", encoding="utf-8") as note:
            note.write(json.dumps({"pid": os.getpid(), "argv": sys.argv[1:]}) + "\n")
    if given.dies_with:
        print("INFO: starting\n\n" + given.dies_with, file=sys.stderr)
        sys.exit(3)
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.say(503 if given.never_ready else 200, b"")

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.headers["Authorization"] != f"Bearer {os.environ['VLLM_API_KEY']}":
                self.say(401, {"error": "Unauthorized"})
                return
            asked.append(self.path)
            if given.dies_after is not None and len(asked) > given.dies_after:
                print(f"CUDA out of memory {os.environ['VLLM_API_KEY']}", file=sys.stderr)
                sys.stderr.flush()
                os._exit(9)
            if body["model"] != given.served_model_name:
                self.say(404, {"error": {"message": f"The model {body['model']} does not exist."}})
                return
            message = {"role": "assistant", "content": "Paris"}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            usage = {"prompt_tokens": 5, "completion_tokens": 1}
            self.say(200, {"model": given.model, "choices": [choice], "usage": usage})

        def say(self, status: int, body: Any) -> None:
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its name
            """Say nothing."""

    ThreadingHTTPServer((given.host, given.port), Handler).serve_forever()


if __name__ == "__main__":
    main()
