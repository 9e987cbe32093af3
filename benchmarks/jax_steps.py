"""The work as JAX does it: lax.scan over time, one jitted update."""

import importlib.util

from benchmarks.timing import Step

_GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}


def training(cell: str, n: int, t: int, d: int, h: int, classes: int) -> dict[str, Step]:
    """Return the training step, on the cores that JAX finds; nothing if it is not installed."""
    return {"jax": _step(cell, n, t, d, h, classes)} if importlib.util.find_spec("jax") else {}


def _step(cell: str, n: int, t: int, d: int, h: int, classes: int) -> Step:
    """JAX: lax.scan over time, the input projected for all steps at once, one jitted update."""
    import jax
    import jax.numpy as jnp

    key, scale, sigmoid = jax.random.PRNGKey(0), h**-0.5, jax.nn.sigmoid
    gates = _GATES[cell] * h

    def draw(*shape):
        return jax.random.uniform(key, shape, minval=-scale, maxval=scale)

    params = {"w": draw(d, gates), "u": draw(h, gates), "b": draw(gates), "v": draw(h, classes), "c": draw(classes)}
    x, y = jax.random.normal(key, (n, t, d)), jnp.arange(n) % classes

    def advance(u, state, z):
        g = state[0] @ u
        if cell == "RNN":
            return (jnp.tanh(z + g),), None
        if cell == "LSTM":
            i, f, c, o = jnp.split(z + g, 4, -1)
            c = sigmoid(f) * state[1] + sigmoid(i) * jnp.tanh(c)
            return (sigmoid(o) * jnp.tanh(c), c), None
        (zr, zz, zn), (gr, gz, gn) = jnp.split(z, 3, -1), jnp.split(g, 3, -1)
        update = sigmoid(zz + gz)
        return ((1 - update) * jnp.tanh(zn + sigmoid(zr + gr) * gn) + update * state[0],), None

    def loss(params):
        start = (jnp.zeros((n, h)),) * (2 if cell == "LSTM" else 1)
        z = jnp.swapaxes(x @ params["w"] + params["b"], 0, 1)
        state, _ = jax.lax.scan(lambda s, z_t: advance(params["u"], s, z_t), start, z)
        return -jax.nn.log_softmax(state[0] @ params["v"] + params["c"])[jnp.arange(n), y].mean()

    @jax.jit
    def adam(params, m, v):
        grad = jax.grad(loss)(params)
        m = jax.tree.map(lambda a, b: 0.9 * a + 0.1 * b, m, grad)
        v = jax.tree.map(lambda a, b: 0.999 * a + 0.001 * b * b, v, grad)
        return jax.tree.map(lambda p, a, b: p - 1e-3 * a / (jnp.sqrt(b) + 1e-8), params, m, v), m, v

    zeros = jax.tree.map(jnp.zeros_like, params)
    box = [(params, zeros, zeros)]

    def step() -> None:
        box[0] = jax.block_until_ready(adam(*box[0]))

    return step
