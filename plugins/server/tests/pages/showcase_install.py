"""Makes the showcase plugin known to processes, as an installed package would be."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import importlib_metadata

from llmeval_core.hooks import ENTRY_POINT_GROUP

_PLUGIN = Path(__file__).parent / "showcase_plugin.py"


def install_showcase(site: Path) -> dict[str, str]:
    """Lay the plugin and its entry point into a folder; returns the environment that has it.

    No other plugin is in it, but the server itself.
    """
    info = site / "showcase_plugin-1.0.dist-info"
    info.mkdir(parents=True)
    shutil.copy(_PLUGIN, site)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: showcase-plugin\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        f"[{ENTRY_POINT_GROUP}]\nshowcase_plugin = showcase_plugin\n"
    )
    installed = {point.name for point in importlib_metadata.entry_points(group=ENTRY_POINT_GROUP)}
    environ = {name: value for name, value in os.environ.items() if "LLMEVAL" not in name}
    known = os.environ.get("PYTHONPATH")
    return {
        **environ,
        "LLMEVAL_DISABLE_PLUGINS": ",".join(sorted(installed - {"server"})),
        "PYTHONPATH": os.pathsep.join([str(site), *([known] if known else [])]),
    }
