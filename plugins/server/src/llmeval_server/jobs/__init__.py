"""Jobs: what they are, where they are kept, and what runs them."""
