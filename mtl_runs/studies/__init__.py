"""Studies: questions to the trainer, with their plans, their recorded answers and what is computed from them."""
