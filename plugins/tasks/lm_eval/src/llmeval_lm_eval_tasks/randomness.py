"""Random numbers of others' task code: seeded as lm-eval seeds them, and the process left alone."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

PYTHON_SEED = 0
"""What `lm_eval` seeds `random` with before it loads a task."""
NUMPY_SEED = 1234
"""What `lm_eval` seeds `numpy.random` with before it loads a task."""

# There is one global generator in a process, so there is one lock.
_ONE_AT_A_TIME = threading.Lock()


class OwnRandomness:
    """The global generators of `random` and `numpy.random`, as one task sees them.

    Some tasks shuffle with them (gpqa its choices). Each task gets them freshly seeded, whatever
    ran before it, and the process finds them as they were.
    """

    def __init__(self) -> None:
        self._python: Any = random.Random(PYTHON_SEED).getstate()  # noqa: S311  no secret
        self._numpy: Any = None  # Any: the libraries' own shapes

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Let the code of the block draw from them; not within itself."""
        import numpy as np  # noqa: PLC0415  heavy

        with _ONE_AT_A_TIME:
            outside = random.getstate(), np.random.get_state()
            if self._numpy is None:
                self._numpy = np.random.RandomState(NUMPY_SEED).get_state()
            random.setstate(self._python)
            np.random.set_state(self._numpy)
            try:
                yield
            finally:
                self._python, self._numpy = random.getstate(), np.random.get_state()
                random.setstate(outside[0])
                np.random.set_state(outside[1])
