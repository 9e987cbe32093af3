"""The same networks made of PyTorch's own modules: the outside oracle. Import it only where torch is installed."""

import contextlib

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
        if "weight_attention" in batch.weights:
            self.attention = nn.Linear(self.out.in_features, 1, bias=False)
        self.to(getattr(torch, dtype))
        with torch.no_grad():
            for name, parameter in self.named().items():
                parameter.copy_(torch.from_numpy(batch.weights[name]).view_as(parameter))
        self.sequences = [torch.from_numpy(x.astype(dtype)) for x in batch.sequences]
        self.targets = torch.from_numpy(batch.targets)
        weights = batch.target_weights
        self.target_weights = None if weights is None else torch.from_numpy(weights.astype(dtype))

    def named(self) -> dict[str, nn.Parameter]:
        """The embeddings, the parameters in PyTorch's order, then the linear layer's."""
        vectors = {f"weight_embedding_{k}": vector.weight for k, vector in enumerate(self.embeddings)}
        attention = {"weight_attention": self.attention.weight} if hasattr(self, "attention") else {}
        of_rnn = dict(self.rnn.named_parameters())
        return {**vectors, **of_rnn, **attention, "weight_out": self.out.weight, "bias_out": self.out.bias}

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
        elif self.case.readout == "attention":
            features = torch.cat([torch.softmax(self.attention(x), dim=0).T @ x for x in h])
        else:
            features = torch.stack([x.max(dim=0).values for x in h])
        return self.out(features)

    def loss(self, logits):
        """Softmax cross-entropy, its mean over all rows with a label, weighted."""
        options = {"ignore_index": -1, "label_smoothing": self.case.label_smoothing}
        if self.target_weights is None:
            return nn.functional.cross_entropy(logits, self.targets, **options)
        losses = nn.functional.cross_entropy(logits, self.targets, reduction="none", **options)
        return (self.target_weights * losses).sum() / self.target_weights[self.targets >= 0].sum()


class ComposedTwin(nn.Module):
    """The same with the options that nn.LSTM and its kin refuse, composed of PyTorch's functions step by step.

    masks : N reference_network.Masks, what was drawn for each sequence
    """

    def __init__(self, case: Case, batch: Batch, masks, dtype="float64"):
        super().__init__()
        self.case, self.masks, self.dtype = case, masks, getattr(torch, dtype)
        self.names = list(batch.weights)
        self.weights = nn.ParameterDict({name: nn.Parameter(self.tensor(w)) for name, w in batch.weights.items()})
        self.sequences = [self.tensor(x) for x in batch.sequences]
        self.targets = torch.from_numpy(batch.targets)

    def tensor(self, array):
        """An array of NumPy's as a tensor."""
        return torch.from_numpy(np.asarray(array)).to(self.dtype)

    def named(self) -> dict[str, nn.Parameter]:
        """The parameters in the order of the batch's."""
        return {name: self.weights[name] for name in self.names}

    def product(self, x, kind, suffix):
        """W x + b, normalised before the bias is added where the case has it so."""
        weight, bias = self.weights[f"weight_{kind}{suffix}"], self.weights[f"bias_{kind}{suffix}"]
        if not self.case.layer_norm:
            return nn.functional.linear(x, weight, bias)
        return nn.functional.layer_norm(x @ weight.T, bias.shape, self.weights[f"gain_{kind}{suffix}"]) + bias

    def step(self, from_x, from_h, states):
        """One step of the cell."""
        if self.case.cell == "lstm":
            i, f, g, o = (from_x + from_h).chunk(4)
            c = f.sigmoid() * states[1] + i.sigmoid() * g.tanh()
            return (o.sigmoid() * c.tanh(), c)
        if self.case.cell == "gru":
            (r, z, n), (r_h, z_h, n_h) = from_x.chunk(3), from_h.chunk(3)
            z = (z + z_h).sigmoid()
            return (torch.lerp((n + (r + r_h).sigmoid() * n_h).tanh(), states[0], z),)
        return ((from_x + from_h).relu() if self.case.cell == "elman_relu" else (from_x + from_h).tanh(),)

    def layer(self, x, suffix, number, masks):
        """Run one layer in one direction over a sequence (T, D)."""
        size = self.weights[f"weight_hh{suffix}"].shape[1]
        states = tuple(x.new_zeros(size) for _ in self.case.states)
        if self.case.learn_initial_state:
            states = tuple(self.weights[f"{state}_0{suffix}"] for state in self.case.states)
        h = []
        for t, x_t in enumerate(x):
            seen = states[0] * self.tensor(masks.recurrent[number]) if len(masks.recurrent) else states[0]
            proposed = self.step(self.product(x_t, "ih", suffix), self.product(seen, "hh", suffix), states)
            if len(masks.zoneout):
                z = self.tensor(masks.zoneout[number][t])
                proposed = tuple(torch.lerp(new, old, share) for new, old, share in zip(proposed, states, z))
            states = proposed
            h.append(states[0])
        return torch.stack(h)

    def features(self, x, masks):
        """The sequence (T, D) as the class scores read it."""
        for layer in range(self.case.num_layers):
            ends = [self.layer(x, f"_l{layer}", layer * self.case.directions, masks)]
            if self.case.bidirectional:
                ends.append(self.layer(x.flip(0), f"_l{layer}_reverse", 2 * layer + 1, masks).flip(0))
            h = torch.cat(ends, dim=1)
            x = h + x if self.case.residual and layer > 0 and h.shape == x.shape else h
            if layer < len(masks.between):
                x = x * self.tensor(masks.between[layer])
        if self.case.loss_at == "every_step":
            return x
        if self.case.readout == "mean":
            return x.mean(dim=0, keepdim=True)
        if self.case.readout == "max":
            return x.max(dim=0, keepdim=True).values
        half = x.shape[1] // self.case.directions
        return torch.cat([x[-1:, :half], x[:1, half:]], dim=1)

    def forward(self):
        """Return the logits (N, C), or (S, C) with a loss at every step."""
        features = torch.cat([self.features(x, masks) for x, masks in zip(self.sequences, self.masks)])
        return nn.functional.linear(features, self.weights["weight_out"], self.weights["bias_out"])

    def loss(self, logits):
        """Softmax cross-entropy, its mean over all rows."""
        return nn.functional.cross_entropy(logits, self.targets)


def run_torch(case: Case, batch: Batch, dtype="float64", masks=None) -> Outcome:
    """Return loss, gradients and logits by PyTorch."""
    twin = Twin(case, batch, dtype) if masks is None else ComposedTwin(case, batch, masks, dtype)
    logits = twin()
    loss = twin.loss(logits)
    loss.backward()
    gradients = {name: p.grad.numpy().reshape(batch.weights[name].shape) for name, p in twin.named().items()}
    return Outcome(loss.item(), gradients, logits.detach().numpy())


def torch_optimizer(named: dict[str, nn.Parameter], settings: dict) -> torch.optim.Optimizer:
    """Return PyTorch's optimizer for the arguments of a TrainingSettings; weight decay spares all but the weights."""
    kinds = {"sgd": "SGD", "rmsprop": "RMSprop", "nadam": "NAdam", "radam": "RAdam", "adamw": "AdamW"}
    options = {name: value for name, value in settings.items() if not name.startswith("clip")}
    kind = options.pop("optimizer")
    rho = "alpha" if kind == "rmsprop" else "rho"
    names = {"learning_rate": "lr", "rho": rho, "epsilon": "eps", "centred": "centered"}
    options = {names.get(name, name): value for name, value in options.items()}
    if kind == "amsgrad":
        kind, options = "adam", {**options, "amsgrad": True}
    decay = options.pop("weight_decay", 0.0)
    decayed = [parameter for name, parameter in named.items() if name.startswith("weight_")]
    spared = [parameter for name, parameter in named.items() if not name.startswith("weight_")]
    groups = [{"params": decayed, "weight_decay": decay}, {"params": spared, "weight_decay": 0.0}]
    return getattr(torch.optim, kinds.get(kind, kind.capitalize()))(groups, **options)


@contextlib.contextmanager
def scalars_in_double():
    """Let an optimizer keep its own scalars, such as NAdam's product of momenta, in float64, as elman does."""
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


def clip_by_norm(twin: Twin, max_norm: float) -> None:
    """nn.utils.clip_grad_norm_ divides by the norm plus 1e-6; this divides by the norm."""
    norm = nn.utils.get_total_norm(parameter.grad for parameter in twin.parameters())
    if norm > max_norm:
        for parameter in twin.parameters():
            parameter.grad *= max_norm / norm


def torch_trajectory(case: Case, batch: Batch, settings: dict, steps: int, dtype="float64"):
    """Return the loss before each of some full-batch updates, and the parameters after the last."""
    twin = Twin(case, batch, dtype)
    optimizer = torch_optimizer(twin.named(), settings)
    losses = np.zeros(steps)
    for step in range(steps):
        optimizer.zero_grad()
        loss = twin.loss(twin())
        loss.backward()
        if settings.get("clip_norm") is not None:
            clip_by_norm(twin, settings["clip_norm"])
        if settings.get("clip_value") is not None:
            nn.utils.clip_grad_value_(twin.parameters(), settings["clip_value"])
        with scalars_in_double():
            optimizer.step()
        losses[step] = loss.item()
    return losses, {name: parameter.detach().numpy().copy() for name, parameter in twin.named().items()}
