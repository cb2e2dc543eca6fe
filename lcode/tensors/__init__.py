"""From tables to arrays and tensors, and the scales that are fitted on the way."""
