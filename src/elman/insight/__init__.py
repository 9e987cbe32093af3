"""What one can learn of a trained network: how gradients flow, what mattered, how sure its figures are."""
