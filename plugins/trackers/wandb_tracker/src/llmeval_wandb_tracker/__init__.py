"""Results in Weights & Biases: one run per model."""
