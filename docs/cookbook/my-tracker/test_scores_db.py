"""The tracker takes results in all the ways in which they come."""

import asyncio
import sqlite3
from contextlib import closing

from llmeval_core.testing import check_plugin, check_tracker
from scores_db import ScoresDb, ScoresDbSettings


def test_the_plugin_is_well_formed():
    assert set(check_plugin("scores_db").registered) == {"trackers"}


def test_the_tracker_keeps_its_promises(tmp_path):
    path = tmp_path / "scores.db"

    def read():
        with closing(sqlite3.connect(path)) as database:
            return database.execute("SELECT model, key, value FROM scores").fetchall()

    make = lambda: ScoresDb(ScoresDbSettings(path=path))
    asyncio.run(check_tracker(make, tmp_path / "home", read=read))
