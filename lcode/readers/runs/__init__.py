"""From rows to runs: which rows make up a run, where it was resumed, repeated or copied, and which were never begun."""
