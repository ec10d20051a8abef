"""The pages of the diagnosis: everything on them is escaped, nothing comes from elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files

import jinja2

from llmeval_mlflow_proxy.diagnosis.diagnose import Diagnosis
from llmeval_mlflow_proxy.diagnosis.findings import worst
from llmeval_mlflow_proxy.diagnosis.words import words
from llmeval_mlflow_proxy.languages import Language


@dataclass(frozen=True, slots=True)
class Visit:
    """How a visitor sees us.

    Args:
        language: what the page is written in.
        prefix: where the diagnosis is, as the browser has it.
        mlflow: where MLflow's pages are, as the browser has it.
    """

    language: Language
    prefix: str
    mlflow: str
    home: str


class Pages:
    """Makes pages from the templates."""

    def __init__(self) -> None:
        self._templates = jinja2.Environment(
            loader=jinja2.PackageLoader("llmeval_mlflow_proxy", "diagnosis/pages"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def diagnosis(self, visit: Visit, diagnosis: Diagnosis, *, message: str | None) -> str:
        """Make the page of a diagnosis, with what a button did if one was pressed."""
        texts = words(visit.language)
        logs = [(texts["log"], diagnosis.log_lines)]
        if diagnosis.mlflow_lines:
            logs.append((texts["mlflow_log"], diagnosis.mlflow_lines))
        return self._render(
            "diagnosis.html",
            visit,
            diagnosis=diagnosis,
            overall=worst(diagnosis.findings),
            message=message,
            other="en" if visit.language == "ja" else "ja",
            logs=logs,
        )

    def no_run(self, visit: Visit, reason: str) -> str:
        """Make the page that says why there is no run to show."""
        return self._render("no_run.html", visit, reason=reason)

    def _render(self, template: str, visit: Visit, **values: object) -> str:
        return self._templates.get_template(template).render(
            words=words(visit.language),
            language=visit.language,
            prefix=visit.prefix,
            mlflow=visit.mlflow,
            home=visit.home,
            **values,
        )


def style() -> bytes:
    """Return the style sheet of the pages."""
    return files("llmeval_mlflow_proxy.diagnosis").joinpath("pages/style.css").read_bytes()
