"""lm-eval's tasks for llmeval: its prompts and scores, asked and kept by llmeval's engine."""
