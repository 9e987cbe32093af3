"""Write the fixtures of this folder by PyTorch.  Run:  PYTHONPATH=src:tests python tests/oracle/make_fixtures.py"""

import numpy as np

from cases import draw
from stored import CASES, FOLDER, file_of, joined, put_batch
from torch_twin import run_torch, torch_trajectory
from trajectories import CASE, SETTINGS, STEPS


def main() -> None:
    """Write one file a case, and one with all trajectories."""
    FOLDER.mkdir(exist_ok=True)
    for case in CASES:
        batch = draw(case)
        outcome = run_torch(case, batch)
        found = {"loss": np.array(outcome.loss), "logits": outcome.logits, "gradient": joined(outcome.gradients)}
        np.savez_compressed(file_of(str(case)), **put_batch(batch), **found)
    batch = draw(CASE)
    arrays = put_batch(batch)
    for name, settings in SETTINGS.items():
        losses, parameters = torch_trajectory(CASE, batch, settings, STEPS)
        arrays[f"losses {name}"] = losses
        arrays[f"end {name}"] = joined(parameters)
    np.savez_compressed(file_of("trajectories"), **arrays)


if __name__ == "__main__":
    main()
