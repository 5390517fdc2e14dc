"""Intent to decision: may it be done, how much of it, and if not why not."""
