"""From tables to arrays and tensors: scales, prefixes, and how finished curves went on."""
