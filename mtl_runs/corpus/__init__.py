"""The corpus of real multi-task learning curves in `datasets/mtl_curves`: its definition, its making, its figures."""

from mtl_runs.corpus.sample import Entry, corpus_entries, corpus_runs

__all__ = ["Entry", "corpus_entries", "corpus_runs"]
