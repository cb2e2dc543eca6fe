"""Solvers of dz/ds = f(z, s) on the unit interval, one batched solve for all runs, tasks and members."""

from lcode.network.integrators.adaptive import solve_dopri5
from lcode.network.integrators.rk4 import Field, hermite, solve_rk4

SOLVERS = {"rk4": solve_rk4, "dopri5": solve_dopri5}

__all__ = ["SOLVERS", "Field", "hermite", "solve_dopri5", "solve_rk4"]
