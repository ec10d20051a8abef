"""vLLM: a server that is there, or one that is started for a run."""
