"""Models as judges: rubrics, juries, both orders, and how far to trust them."""
