"""Whole texts as rows: which counter runs, what sums up, what says nothing."""
