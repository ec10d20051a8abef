"""A packaged set: fetched at the first use, then read from the cached wheel."""

from __future__ import annotations

import functools
import gzip
import io
import logging
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from pydantic import Field

from llmeval_core.hooks import Attribution, DatasetError, Settings, TaskDefaults, fingerprint
from llmeval_core.support import Wheel, cache_folder, cached_wheel, fetch_wheel
from llmeval_datasets.files.json_rows import bare, parse_row
from llmeval_datasets.packaged.declaration import DatasetDeclaration, PackagedFile, read_declaration
from llmeval_datasets.rows.row_dataset import READING, RowDataset
from llmeval_datasets.rows.sample_maker import SampleMaker
from llmeval_datasets.rows.settings_meaning import meaning_of
from llmeval_datasets.rows.sources import NumberedRow, RowSource

_log = logging.getLogger("llmeval.fetch")

CATALOGUE = Path(__file__).parent / "catalogue"


class PackagedSettings(Settings):
    """A data set that is declared in a file of one's own."""

    path: Path = Field(description="The YAML file that declares it.")


class PackagedDataset(RowDataset):
    """A data set that knows its wheel, licence and citation."""

    def __init__(self, name: str, declaration: DatasetDeclaration) -> None:
        self.declaration = declaration
        super().__init__(
            name,
            defaults=TaskDefaults(
                prompt=declaration.prompt,
                answer_by=declaration.answer_by,
                generation=declaration.generation,
                few_shot=declaration.few_shot,
                metrics=declaration.metrics,
                extract=declaration.extract,
            ),
            sources=self._sources_of(declaration.members),
            pool=self._sources_of(declaration.few_shot_members),
            maker=SampleMaker(declaration.fields, shuffle_choices=declaration.shuffle_choices),
            on_error="stop",
            size=lambda: declaration.n_samples,
            fingerprint=lambda: fingerprint(
                [
                    READING,
                    declaration.sha256,
                    [member.model_dump() for member in declaration.members],
                    [member.model_dump() for member in declaration.few_shot_members],
                    meaning_of(declaration.fields),
                    declaration.shuffle_choices,
                ]
            ),
        )

    def attribution(self) -> Attribution:
        """Tell licence and citation, as declared."""
        return Attribution(self.declaration.licence, self.declaration.citation)

    def fetch(self) -> Path:
        """Return the verified wheel in the cache; fetched if it is not there. Blocking.

        Raises:
            FetchError: it cannot be fetched.
        """
        declared = self.declaration
        wheel = Wheel(declared.package, declared.version, declared.sha256)
        folder = cache_folder() / "datasets"
        if not cached_wheel(wheel, folder=folder).exists():
            what = f"data set '{self.name}' ({wheel.package} {wheel.version})"
            _log.info("fetching the %s; %s", what, self.attribution())
        return fetch_wheel(wheel, folder=folder)

    def _sources_of(self, members: tuple[PackagedFile, ...]) -> tuple[RowSource, ...]:
        return tuple(
            RowSource(
                f"{self.declaration.package} {self.declaration.version}: {member.path}",
                functools.partial(self._rows, member.path),
                member.category,
            )
            for member in members
        )

    def _rows(self, member: str) -> Iterator[NumberedRow]:
        try:
            with zipfile.ZipFile(self.fetch()) as wheel, wheel.open(member) as raw:
                packed = gzip.GzipFile(fileobj=raw) if member.endswith(".gz") else raw
                for number, line in enumerate(io.TextIOWrapper(packed, "utf-8-sig"), start=1):
                    text = bare(line)
                    if text:
                        yield number, parse_row(text)
        except (KeyError, OSError, EOFError, zlib.error, UnicodeError, zipfile.BadZipFile) as err:
            raise DatasetError(
                f"the wheel has no readable '{member}'",
                where=f"{self.declaration.package} {self.declaration.version}",
                hint="check the declaration; delete the cached wheel if it is broken",
            ) from err


def catalogue() -> dict[str, str]:
    """Name the sets that come with this package, with their summaries, without parsing them."""
    found = {}
    for path in sorted(CATALOGUE.glob("*.yaml")):
        with path.open(encoding="utf-8") as file:
            found[path.stem] = file.readline().removeprefix("summary:").strip()
    return found


def packaged_dataset(name: str, settings: Settings) -> PackagedDataset:
    """Make a set of the catalogue; it takes no settings."""
    return PackagedDataset(name, read_declaration(CATALOGUE / f"{name}.yaml"))


def own_packaged_dataset(settings: PackagedSettings) -> PackagedDataset:
    """Make a set that the user has declared; it is called like its file."""
    return PackagedDataset(settings.path.stem, read_declaration(settings.path))
