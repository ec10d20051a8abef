"""What can carry requests under `openai.client`: one file each, chosen in `choosing`."""
