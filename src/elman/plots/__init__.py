"""Charts of what training, gradients and predictions look like, drawn by Altair."""
