"""MLflow's pages behind llmeval's server: a proxy, an embedded MLflow, and a diagnosis."""
