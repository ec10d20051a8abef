"""A process that delivers one result online and says how that went.

Arguments: home, and the longest time in seconds. W&B reads its environment once a process.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from llmeval_wandb_tracker.settings import WandbSettings
from llmeval_wandb_tracker.tracker import WandbTracker

from llmeval_core.hooks import TrackerError
from llmeval_core.testing import make_task_result, run_info


async def main(home: Path, timeout_s: float) -> None:
    tracker = WandbTracker(WandbSettings(timeout_s=timeout_s))
    try:
        await tracker.open(run_info(home))
        receipt = await tracker.deliver(make_task_result(id="r1"))
        print(f"delivered: {receipt}")
    except TrackerError as err:
        when = "never again" if err.permanent else "comes again"
        print(f"TrackerError, {when}: {err.what}")
    finally:
        await tracker.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), float(sys.argv[2])))
