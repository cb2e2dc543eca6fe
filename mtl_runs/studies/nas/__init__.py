"""Architecture search in a space of small cells: which cells are the best, and what it costs to know that."""
