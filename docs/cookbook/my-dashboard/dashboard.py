"""Writes dashboard.html: the leaderboard of a project's folder as one page."""

import html
from pathlib import Path

import llmeval

STYLE = "body{font:16px system-ui;margin:2rem} td,th{padding:.3rem .8rem;text-align:right}"

rows = {(row.model, row.key): row for row in llmeval.results()}
models = sorted({model for model, _ in rows})
keys = sorted({key for _, key in rows})


def cell(model, key):
    row = rows.get((model, key))
    if row is None or row.value is None:
        return "<td>–</td>"  # not evaluated, or unknown: no number
    title = "" if row.low is None else f"95 %: {row.low:.3f} to {row.high:.3f}, "
    title += f"{row.n_samples} samples, {row.definition}"
    return f'<td title="{html.escape(title)}">{row.value:.3f}</td>'


head = "".join(f"<th>{html.escape(key)}</th>" for key in keys)
body = "".join(
    f"<tr><th>{html.escape(model)}</th>{''.join(cell(model, key) for key in keys)}</tr>"
    for model in models
)
Path("dashboard.html").write_text(
    f"<!doctype html><meta charset=utf-8><title>Leaderboard</title><style>{STYLE}</style>"
    f"<table><tr><th></th>{head}</tr>{body}</table>",
    encoding="utf-8",
)
print(f"dashboard.html: {len(models)} models, {len(keys)} numbers each")
