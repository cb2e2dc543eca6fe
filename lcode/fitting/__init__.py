"""From a model and batches to a fitted model: loss, loop, calibration, checkpoint."""
