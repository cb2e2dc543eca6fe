"""Which runs printed texts hold, and how these ended."""
