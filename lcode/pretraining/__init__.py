"""The pretrained network: synthetic problems, views of real ones, and the training of it."""
