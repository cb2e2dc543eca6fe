"""What forecasts are made of: base models on finished runs, their weights, their intervals, and a model on disk."""
