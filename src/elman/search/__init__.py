"""Search for parameters by Optuna, which only this part imports; see `elman.search.tuning.tune`."""
