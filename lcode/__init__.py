"""Forecast the final performance of multi-task training runs from their first epochs, rank them, stop them early."""
