"""Jobs: their records, the job store, and the worker that runs them."""
