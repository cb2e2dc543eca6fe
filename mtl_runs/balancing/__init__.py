"""Balancers in a network and a training loop of the user's own."""

from mtl_runs.balancing.balance import Balance

__all__ = ["Balance"]
