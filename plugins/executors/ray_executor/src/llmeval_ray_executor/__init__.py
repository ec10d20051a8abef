"""llmeval on a Ray cluster: one copy of the model in each of many workers, one run asks them."""
