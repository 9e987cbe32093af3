"""Vanishing gradients on temporal order: an experiment; see docs/vanishing_gradients.md."""
