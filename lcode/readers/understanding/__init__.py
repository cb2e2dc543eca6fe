"""What the columns of a log mean, told by their names and cells: which name runs, which count, which are curves."""
