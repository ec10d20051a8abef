"""An MLflow server of our own, for a project that has none."""
