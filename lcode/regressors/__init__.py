"""Regressors, numbers in and numbers out: extremely randomised trees and a Gaussian process."""
