"""Reading a run file: YAML to RunConfig, with errors that name file, line and key."""

from __future__ import annotations

from pathlib import Path

from llmeval_core.config.origin import Origin
from llmeval_core.config.schema import RunConfig
from llmeval_core.config.settings_file import validate
from llmeval_core.config.yaml_reading import parse_yaml, read_bounded_text
from llmeval_core.errors import ConfigError

_WHAT = "run file"


def load_run_file(path: Path) -> tuple[RunConfig, Origin]:
    """Read and check a run file; the Origin tells later errors where things stand in it.

    Raises:
        ConfigError: it cannot be read, is not YAML, or does not have the right shape.
    """
    try:
        text = read_bounded_text(path, what=_WHAT)
    except FileNotFoundError:
        raise ConfigError(
            f"there is no run file '{path}'",
            hint="name a file that exists, or give -m and -d instead",
        ) from None
    except (OSError, UnicodeDecodeError) as err:
        is_closed = isinstance(err, OSError)
        hint = "name a file that can be read" if is_closed else "a run file is YAML, in UTF-8"
        raise ConfigError(f"cannot read the run file: {err}", where=str(path), hint=hint) from err
    return read_run_text(text, path)


def read_run_text(text: str, path: Path) -> tuple[RunConfig, Origin]:
    """Check the text of a run file, YAML or JSON, that errors are to call `path`.

    Raises:
        ConfigError: it is not YAML, or does not have the right shape.
    """
    data, lines = parse_yaml(text, path, what=_WHAT)
    if not isinstance(data, dict):
        raise ConfigError(
            "a run file is a mapping with 'models' and 'tasks'",
            where=str(path),
            hint="see docs/run-file.md for an example",
        )
    origin = Origin(file=path, lines=lines)
    return validate(RunConfig, data, origin=origin), origin
