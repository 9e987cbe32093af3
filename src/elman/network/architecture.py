"""What a network is made of, as plain data."""

from dataclasses import dataclass
from itertools import pairwise

from elman.errors import ParameterError
from elman.kernels.cells import CELLS

READOUTS = ("last", "mean", "max", "attention")
LOSS_PLACES = ("last", "every_step")
MOST_CODES = 1 << 24  # of a column: whole numbers that float32 tells apart


@dataclass(frozen=True)
class Architecture:
    """The shape of a network: everything but the values of its parameters.

    embeddings : (column, n_codes, size) for each column of the values that holds codes 0, ..., n_codes - 1 and enters
        the first layer as a learned vector of `size`; columns rising. The layer reads the other columns, in their
        order, then the vectors.
    loss_at : "last" scores each sequence once, from its readout; "every_step" scores every time step from h_t.
    """

    input_size: int
    n_classes: int
    cell: str = "gru"
    hidden_size: int = 64
    num_layers: int = 1
    bidirectional: bool = True
    dropout: float = 0.0
    readout: str = "last"
    loss_at: str = "last"
    embeddings: tuple[tuple[int, int, int], ...] = ()

    def __post_init__(self) -> None:
        columns = [column for column, _, _ in self.embeddings]
        is_rising = all(a < b for a, b in pairwise([-1, *columns, self.input_size]))
        if not is_rising or any(size < 1 or not 1 <= n_codes <= MOST_CODES for _, n_codes, size in self.embeddings):
            raise ParameterError(
                "embeddings must be (column, n_codes, size), "
                f"columns rising within 0..{self.input_size - 1}, n_codes in 1..{MOST_CODES}, size at least 1. "
                f"Got {self.embeddings}."
            )

    @property
    def directions(self) -> int:
        """2 for a bidirectional network, else 1."""
        return 2 if self.bidirectional else 1

    @property
    def n_features(self) -> int:
        """How many features the readout hands to the class scores."""
        return self.directions * self.hidden_size

    def layer_input_size(self, layer: int) -> int:
        """Return how many inputs a layer has at each step."""
        if layer > 0:
            return self.n_features
        return self.input_size - len(self.embeddings) + sum(size for _, _, size in self.embeddings)

    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the embeddings, the layers' parameters in PyTorch's order and under its names, the class scores'."""
        size, rows = self.hidden_size, len(CELLS[self.cell].gates) * self.hidden_size
        shapes: dict[str, tuple[int, ...]] = {
            f"weight_embedding_{k}": (n_codes, width) for k, (_, n_codes, width) in enumerate(self.embeddings)
        }
        for layer in range(self.num_layers):
            for end in ("", "_reverse")[: self.directions]:
                shapes[f"weight_ih_l{layer}{end}"] = (rows, self.layer_input_size(layer))
                shapes[f"weight_hh_l{layer}{end}"] = (rows, size)
                shapes[f"bias_ih_l{layer}{end}"] = (rows,)
                shapes[f"bias_hh_l{layer}{end}"] = (rows,)
        if self.readout == "attention" and self.loss_at == "last":
            shapes["weight_attention"] = (self.n_features,)
        shapes["weight_out"] = (self.n_classes, self.n_features)
        shapes["bias_out"] = (self.n_classes,)
        return shapes
