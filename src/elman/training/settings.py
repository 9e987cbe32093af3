"""Everything that decides how a network is trained, as plain data."""

from dataclasses import dataclass

from elman.errors import ParameterError

SMALLEST_EPSILON = 1e-37
OPTIMIZERS = ("sgd", "rmsprop", "adam", "adamw", "adagrad", "adadelta", "nadam", "radam", "amsgrad", "lion")


@dataclass(frozen=True)
class TrainingSettings:
    """Hyper-parameters of training.

    betas, rho, epsilon : None: PyTorch's values for the optimizer, and for lion those of its paper
        rho is the decay of squared gradients in rmsprop (PyTorch's `alpha`) and adadelta.
    weight_decay : pull to 0 of weights and embeddings; biases, gains and initial states are spared
    clip_norm : largest Euclidean norm of the whole gradient; None: as it is
    clip_value : largest absolute value of any part of the gradient; None: as it is
    early_stopping : end after `n_iter_no_change` epochs in which the validation loss did not fall by `tol`
    n_threads : None: as many as the process may use
    bucket_by_length : whether a batch holds sequences of like length; see `elman.training.batches`
    accumulate : batches whose gradients make one step of the optimizer
    jitter, scaling, time_warp, window_slice : see `elman.training.augmentation`
    centred : whether rmsprop divides by the deviation of the gradient instead of its root mean square
    schedule, warm_up, schedule_epochs, schedule_factor, final_rate : see `elman.training.schedules`
    label_smoothing : share of each target that is spread evenly over all classes (Szegedy et al. 2016)
    gradient_noise : variance of the noise that is added to each part of the first gradient; later ones get
        gradient_noise / (1 + t)^0.55 (Neelakantan et al. 2015)
    weight_average : decay, a step, of the running mean of the parameters that is validated and kept; 0: none
    """

    optimizer: str = "adam"
    learning_rate: float = 0.005
    momentum: float = 0.0
    nesterov: bool = False
    betas: tuple[float, float] | None = None
    rho: float | None = None
    epsilon: float | None = None
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
    centred: bool = False
    schedule: str = "constant"
    warm_up: float = 0.0
    schedule_epochs: int = 10
    schedule_factor: float = 0.5
    final_rate: float = 0.0
    label_smoothing: float = 0.0
    gradient_noise: float = 0.0
    weight_average: float = 0.0

    def __post_init__(self) -> None:
        if self.epsilon is not None and not self.epsilon >= SMALLEST_EPSILON:
            raise ParameterError(
                f"epsilon must be at least {SMALLEST_EPSILON:g}, which float32 can hold. Got {self.epsilon} instead."
            )
