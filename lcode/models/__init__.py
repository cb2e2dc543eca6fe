"""The network: torch modules only; no files, no tables, no optimiser."""
