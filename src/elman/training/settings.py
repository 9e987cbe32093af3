"""Everything that decides how a network is trained, as plain data."""

from dataclasses import dataclass

from elman.errors import ParameterError

SMALLEST_EPSILON = 1e-37
OPTIMIZERS = ("sgd", "rmsprop", "adam", "adamw")


@dataclass(frozen=True)
class TrainingSettings:
    """Hyper-parameters of training.

    rho : decay of RMSProp's squared gradient (PyTorch's `alpha`)
    clip_norm : largest Euclidean norm of the whole gradient; None: as it is
    clip_value : largest absolute value of any part of the gradient; None: as it is
    early_stopping : end after `n_iter_no_change` epochs in which the validation loss did not fall by `tol`
    n_threads : None: as many as the process may use
    bucket_by_length : whether a batch holds sequences of like length; see `elman.training.batches`
    accumulate : batches whose gradients make one step of the optimizer
    jitter, scaling, time_warp, window_slice : see `elman.training.augmentation`
    """

    optimizer: str = "adam"
    learning_rate: float = 0.005
    momentum: float = 0.0
    nesterov: bool = False
    betas: tuple[float, float] = (0.9, 0.999)
    rho: float = 0.99
    epsilon: float = 1e-8
    weight_decay: float = 0.0
    batch_size: int = 32
    max_epochs: int = 200
    clip_norm: float | None = 1.0
    clip_value: float | None = None
    early_stopping: bool = True
    n_iter_no_change: int = 30
    tol: float = 1e-4
    n_threads: int | None = None
    bucket_by_length: bool = False
    jitter: float = 0.0
    scaling: float = 0.0
    time_warp: float = 0.0
    window_slice: float = 1.0
    accumulate: int = 1

    def __post_init__(self) -> None:
        if not self.epsilon >= SMALLEST_EPSILON:
            raise ParameterError(
                f"epsilon must be at least {SMALLEST_EPSILON:g}, which float32 can hold. Got {self.epsilon} instead."
            )
