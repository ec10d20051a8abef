"""What an answer says, whoever made the model: texts, thoughts, refusals, token counts."""
