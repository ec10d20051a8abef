"""Writes dashboard.html: the leaderboard of a project's folder as one page."""

import html
import json
import subprocess
from pathlib import Path

STYLE = "body{font:16px system-ui;margin:2rem} td,th{padding:.3rem .8rem;text-align:right}"

printed = subprocess.run(["llmeval", "results", "--json"], capture_output=True, check=True).stdout
rows = json.loads(printed)
models = sorted({row["model"] for row in rows})
keys = sorted({row["key"] for row in rows})
cells = {(row["model"], row["key"]): row for row in rows}


def cell(model, key):
    row = cells.get((model, key))
    if row is None or row["aggregate"]["value"] is None:
        return "<td>–</td>"  # not evaluated, or unknown: no number
    low, high = row["aggregate"]["interval"] or (None, None)
    title = "" if low is None else f"95 %: {low:.3f} to {high:.3f}, "
    title += f"{row['n_samples']} samples, {row['definition']}"
    return f'<td title="{html.escape(title)}">{row["aggregate"]["value"]:.3f}</td>'


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
