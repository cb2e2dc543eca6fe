"""LC-GODE: torch modules, the loss, the training loop, and the quantiles of a trained network."""
