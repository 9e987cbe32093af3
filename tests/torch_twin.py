"""The same networks made of PyTorch's own modules: the outside oracle. Import it only where torch is installed."""

import numpy as np
import torch
from torch import nn
from torch.nn.utils.rnn import pack_sequence, pad_packed_sequence

from cases import Batch, Case
from engine import Outcome

torch.set_num_threads(1)  # these networks are small, and other tests may run beside this one


class Twin(nn.Module):
    """nn.RNN, nn.LSTM or nn.GRU over packed sequences, a readout and a linear layer, in double or single precision."""

    def __init__(self, case: Case, batch: Batch, dtype="float64"):
        super().__init__()
        self.case = case
        kind = {"lstm": nn.LSTM, "gru": nn.GRU}.get(case.cell, nn.RNN)
        options = {"nonlinearity": "relu" if case.cell == "elman_relu" else "tanh"} if kind is nn.RNN else {}
        vectors = [nn.Embedding(n_codes, size) for _, n_codes, size in case.embeddings]
        self.embeddings = nn.ModuleList(vectors)
        inputs = case.input_size - len(vectors) + sum(vector.embedding_dim for vector in vectors)
        self.rnn = kind(inputs, case.hidden_size, case.num_layers, bidirectional=case.bidirectional, **options)
        self.out = nn.Linear(case.hidden_size * (2 if case.bidirectional else 1), case.n_classes)
        self.to(getattr(torch, dtype))
        with torch.no_grad():
            for name, parameter in self.named().items():
                parameter.copy_(torch.from_numpy(batch.weights[name]))
        self.sequences = [torch.from_numpy(x.astype(dtype)) for x in batch.sequences]
        self.targets = torch.from_numpy(batch.targets)
        weights = batch.target_weights
        self.target_weights = None if weights is None else torch.from_numpy(weights.astype(dtype))

    def named(self) -> dict[str, nn.Parameter]:
        """The embeddings, the parameters in PyTorch's order, then the linear layer's."""
        vectors = {f"weight_embedding_{k}": vector.weight for k, vector in enumerate(self.embeddings)}
        return {
            **vectors,
            **dict(self.rnn.named_parameters()),
            "weight_out": self.out.weight,
            "bias_out": self.out.bias,
        }

    def inputs(self, x):
        """Return a sequence with vectors in place of its codes."""
        coded = [column for column, _, _ in self.case.embeddings]
        numbers = [column for column in range(x.shape[1]) if column not in coded]
        vectors = [vector(x[:, column].long()) for vector, column in zip(self.embeddings, coded)]
        return torch.cat([x[:, numbers], *vectors], dim=1)

    def forward(self):
        """Return the logits (N, C), or (S, C) with a loss at every step."""
        outputs, final = self.rnn(pack_sequence([self.inputs(x) for x in self.sequences], enforce_sorted=False))
        padded, lengths = pad_packed_sequence(outputs, batch_first=True)
        h = [row[:length] for row, length in zip(padded, lengths)]
        if self.case.loss_at == "every_step":
            return self.out(torch.cat(h))
        if self.case.readout == "last":
            h_n = final[0] if self.case.cell == "lstm" else final
            features = torch.cat([h_n[-2], h_n[-1]], dim=1) if self.case.bidirectional else h_n[-1]
        elif self.case.readout == "mean":
            features = torch.stack([x.mean(dim=0) for x in h])
        else:
            features = torch.stack([x.max(dim=0).values for x in h])
        return self.out(features)

    def loss(self, logits):
        """Softmax cross-entropy, its mean over all rows with a label, weighted."""
        if self.target_weights is None:
            return nn.functional.cross_entropy(logits, self.targets, ignore_index=-1)
        losses = nn.functional.cross_entropy(logits, self.targets, ignore_index=-1, reduction="none")
        return (self.target_weights * losses).sum() / self.target_weights[self.targets >= 0].sum()


def run_torch(case: Case, batch: Batch, dtype="float64") -> Outcome:
    """Return loss, gradients and logits by PyTorch."""
    twin = Twin(case, batch, dtype)
    logits = twin()
    loss = twin.loss(logits)
    loss.backward()
    gradients = {name: parameter.grad.numpy() for name, parameter in twin.named().items()}
    return Outcome(loss.item(), gradients, logits.detach().numpy())


def torch_optimizer(twin: Twin, settings: dict) -> torch.optim.Optimizer:
    """Return PyTorch's optimizer for the arguments of a TrainingSettings."""
    kinds = {"sgd": "SGD", "rmsprop": "RMSprop", "adam": "Adam", "adamw": "AdamW"}
    names = {"learning_rate": "lr", "rho": "alpha", "epsilon": "eps"}
    options = {names.get(name, name): value for name, value in settings.items() if not name.startswith("clip")}
    kind = options.pop("optimizer")
    if kind == "adamw":
        options.setdefault("weight_decay", 0.0)
    return getattr(torch.optim, kinds[kind])(twin.named().values(), **options)


def clip_by_norm(twin: Twin, max_norm: float) -> None:
    """nn.utils.clip_grad_norm_ divides by the norm plus 1e-6; this divides by the norm."""
    norm = nn.utils.get_total_norm(parameter.grad for parameter in twin.parameters())
    if norm > max_norm:
        for parameter in twin.parameters():
            parameter.grad *= max_norm / norm


def torch_trajectory(case: Case, batch: Batch, settings: dict, steps: int, dtype="float64"):
    """Return the loss before each of some full-batch updates, and the parameters after the last."""
    twin = Twin(case, batch, dtype)
    optimizer = torch_optimizer(twin, settings)
    losses = np.zeros(steps)
    for step in range(steps):
        optimizer.zero_grad()
        loss = twin.loss(twin())
        loss.backward()
        if settings.get("clip_norm") is not None:
            clip_by_norm(twin, settings["clip_norm"])
        if settings.get("clip_value") is not None:
            nn.utils.clip_grad_value_(twin.parameters(), settings["clip_value"])
        optimizer.step()
        losses[step] = loss.item()
    return losses, {name: parameter.detach().numpy().copy() for name, parameter in twin.named().items()}
