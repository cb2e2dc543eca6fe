"""Regressors on what is known at a cutoff: a Gaussian process and forests, fitted per cutoff on the finished runs."""
