"""Hugging Face models in this process, by transformers and torch."""
