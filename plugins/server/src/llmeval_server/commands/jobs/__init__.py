"""`llmeval jobs`: the server's jobs from a terminal."""
