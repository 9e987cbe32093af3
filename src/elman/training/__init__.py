"""How a network learns: optimizers, clipping, the training loop and its history."""
