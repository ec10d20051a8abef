"""The HTTP clients that can be under `openai.client`: one file each, chosen in `choosing`."""
