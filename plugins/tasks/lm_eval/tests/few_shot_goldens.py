"""Which examples lm-eval draws: its own sampler writes what the core's tests compare with.

`python -m plugins.tasks.lm_eval.tests.few_shot_goldens` writes the file anew.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

GOLDENS = Path(__file__).parents[4] / "tests" / "core" / "prompting" / "lm_eval_draws.json"


def make_goldens() -> list[dict[str, Any]]:
    """Draw with `lm_eval.api.samplers`; Any: JSON."""
    numbers = [f"q{number}" for number in range(40)]
    copies = [f"q{number % 4}" for number in range(12)]
    cases = [
        ("another split", numbers, [f"t{number}" for number in range(300)], 5, 1234, False),
        ("another split that has the documents too", numbers, numbers, 3, 1234, False),
        ("the same split", numbers, numbers, 5, 1234, True),
        ("the same split, no split named", numbers, [f"v{n}" for n in range(50)], 4, 1234, True),
        ("copies, so that it draws anew", copies, copies, 4, 1234, True),
        ("another seed", numbers, numbers, 2, 7, True),
        ("all of the pool", numbers[:6], [f"t{number}" for number in range(30)], 6, 1234, False),
        ("a large pool", [f"p{number}" for number in range(3000)], numbers, 8, 1234, True),
    ]
    return [
        {
            "case": case,
            "pool": pool,
            "documents": documents,
            "n_shots": n_shots,
            "seed": seed,
            "one_more": one_more,
            "drawn": _drawn(pool, documents, n_shots, seed=seed, one_more=one_more),
        }
        for case, pool, documents, n_shots, seed, one_more in cases
    ]


def _drawn(
    pool: list[str], documents: list[str], n_shots: int, *, seed: int, one_more: bool
) -> list[list[str]]:
    from lm_eval.api.samplers import ContextSampler  # noqa: PLC0415  it takes seconds

    sampler = ContextSampler([{"q": one} for one in pool])
    sampler.set_rnd(seed)
    return [
        [one["q"] for one in sampler.sample(n_shots, {"q": document} if one_more else None)]
        for document in documents
    ]


def written(goldens: list[dict[str, Any]]) -> str:
    """Write them, a case a line; Any: JSON."""
    return "[\n" + ",\n".join(json.dumps(golden) for golden in goldens) + "\n]\n"


if __name__ == "__main__":
    GOLDENS.write_text(written(make_goldens()), encoding="utf-8")
