"""Wait until the PostgreSQL databases that the environment names answer, then become the command.

    python wait_for_databases.py COMMAND ARGUMENT...

Compose cannot make a service wait for one of a profile that may be off, and takes a container that
ends and starts again for a failure. After a while the command is tried all the same: it says best
what is wrong.
"""

from __future__ import annotations

import os
import sys
import time

VARIABLES = ("LLMEVAL_JOBS_URL", "MLFLOW_BACKEND_STORE_URI")
PATIENCE_S = 60.0


def main(command: list[str]) -> None:
    """Wait, then run the command in place of this process."""
    for name in VARIABLES:
        scheme, _, rest = os.environ.get(name, "").partition("://")
        if scheme.partition("+")[0] in ("postgresql", "postgres"):
            wait_for(name, f"postgresql://{rest}")
    os.execvp(command[0], command)  # noqa: S606  that is what it is for


def wait_for(name: str, url: str) -> None:
    """Try to connect again and again; say it if that takes long, but not the URL's password."""
    import psycopg  # noqa: PLC0415  most have no PostgreSQL

    give_up_at = time.monotonic() + PATIENCE_S
    said = ""
    while time.monotonic() < give_up_at:
        try:
            psycopg.connect(url, connect_timeout=5).close()
        except psycopg.Error as err:
            reason = f"waiting for the database of {name}: {err}\n"
            if reason != said:
                sys.stderr.write(reason)
            said = reason
            time.sleep(0.5)
        else:
            return


if __name__ == "__main__":
    main(sys.argv[1:])
