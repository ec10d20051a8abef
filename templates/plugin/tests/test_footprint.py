"""The command says how large the folder is."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner
from llmeval_example_plugin.footprint import footprint

from llmeval_core.testing import check_plugin


def test_the_plugin_is_well_formed() -> None:
    plugin = check_plugin("llmeval_example_plugin.footprint")

    assert set(plugin.registered) == {"commands"}


def test_all_files_count(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside" / "file").write_bytes(bytes(2_000_000))

    result = CliRunner().invoke(footprint, ["--home", str(tmp_path)])

    assert (result.exit_code, result.output) == (0, f"{tmp_path}: 2.0 MB\n")
