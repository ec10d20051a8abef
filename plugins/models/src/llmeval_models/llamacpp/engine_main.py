"""The engine's own process: an HTTP server on loopback, which ends when its parent ends.

It is a process of its own so that a crash in native code is a failed model and not a lost run, and
Ctrl-C reaches the run first; it measures as fast as the same server in the run's own process. The
first message of its parent has its settings, the answer its address; it stops when no more messages
can come, also if the parent was killed.
"""

from __future__ import annotations

import json
import os
from typing import Any

from llmeval_core.support import ParentChannel


def main() -> None:
    """Serve until the parent ends."""
    parent = ParentChannel()
    for message in parent:
        try:
            server = _started(json.loads(message))
        except RuntimeError as err:
            answer = {"error": str(err)}
        else:
            answer = {"address": server.listening_address}
        parent.answer(json.dumps(answer).encode())
    os._exit(0)  # the server has no state that needs an orderly end


def _started(settings: dict[str, Any]) -> Any:
    """Start a server with threads of its own, which runs as long as the result is kept.

    Any: JSON of `EngineProcess`; xllamacpp has no type information.

    Raises:
        RuntimeError: it cannot load the model.
    """
    # Before the import: OpenMP's threads would burn a core at each barrier while others work.
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    import xllamacpp  # noqa: PLC0415  see the line above

    params = xllamacpp.CommonParams()
    params.model.path = settings["path"]
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [settings["key"]]  # other users of the machine stay out
    params.n_parallel = settings["n_parallel"]
    params.n_ctx = settings["n_parallel"] * settings["context_size"]  # for all slots together
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = settings["n_threads"]
    params.model_alias = {settings["name"]}
    params.cache_ram_mib = 0  # by default it keeps old prompts, up to 8 GiB of them
    params.swa_full = True  # so that models with a sliding window go back to any prefix
    params.verbosity = -1
    return xllamacpp.Server(params)


if __name__ == "__main__":
    main()
