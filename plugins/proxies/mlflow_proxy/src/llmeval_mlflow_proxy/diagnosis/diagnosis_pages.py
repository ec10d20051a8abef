"""The pages of the diagnosis: everything is escaped, nothing is loaded from other sites."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files

import jinja2

from llmeval_mlflow_proxy.diagnosis.diagnose import Diagnosis
from llmeval_mlflow_proxy.diagnosis.diagnosis_texts import translations
from llmeval_mlflow_proxy.diagnosis.findings import worst
from llmeval_mlflow_proxy.page_language import Language


@dataclass(frozen=True, slots=True)
class PageContext:
    """What a page needs to know of the request for it.

    Args:
        language: of the page.
        prefix: the path of the diagnosis, as the browser has it.
        mlflow: the path of MLflow's pages, as the browser has it.
        home: the path of llmeval's server, as the browser has it.
    """

    language: Language
    prefix: str
    mlflow: str
    home: str


class DiagnosisPages:
    """Renders pages from templates."""

    def __init__(self) -> None:
        self._templates = jinja2.Environment(
            loader=jinja2.PackageLoader("llmeval_mlflow_proxy", "diagnosis/pages"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def diagnosis(self, context: PageContext, diagnosis: Diagnosis, *, message: str | None) -> str:
        """Render the page of a diagnosis, with what a button did if one was pressed."""
        texts = translations(context.language)
        logs = [(texts["log"], diagnosis.log_lines)]
        if diagnosis.mlflow_lines:
            logs.append((texts["mlflow_log"], diagnosis.mlflow_lines))
        return self._render(
            "diagnosis.html",
            context,
            diagnosis=diagnosis,
            overall=worst(diagnosis.findings),
            message=message,
            other="en" if context.language == "ja" else "ja",
            logs=logs,
        )

    def no_run(self, context: PageContext, reason: str) -> str:
        """Render the page that says why there is no run to show."""
        return self._render("no_run.html", context, reason=reason)

    def _render(self, template: str, context: PageContext, **values: object) -> str:
        return self._templates.get_template(template).render(
            texts=translations(context.language),
            language=context.language,
            prefix=context.prefix,
            mlflow=context.mlflow,
            home=context.home,
            **values,
        )


def style() -> bytes:
    """Return the style sheet of the pages."""
    return files("llmeval_mlflow_proxy.diagnosis").joinpath("pages/style.css").read_bytes()
