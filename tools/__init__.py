"""Checks that are run by hand, from the repository's root."""
