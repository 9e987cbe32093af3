"""The work as ONNX Runtime does it, on the graph that its own LSTM, GRU and RNN operators make."""

import importlib.util

import numpy as np

from benchmarks.timing import Step

_GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}


def _installed() -> bool:
    return all(importlib.util.find_spec(name) for name in ("onnx", "onnxruntime"))


def _session(cell: str, inputs: dict[str, tuple[int, ...]], d: int, h: int, classes: int, threads: int):
    """Return a session: the operator over X, h and an LSTM's c; with classes, the class scores of the last state."""
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    rng, gates = np.random.default_rng(0), _GATES[cell] * h

    def weight(name: str, *shape: int):
        return numpy_helper.from_array(rng.uniform(-0.1, 0.1, shape).astype(np.float32), name)

    def value(name: str, shape: tuple[int, ...]):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    n = inputs["X"][1]
    weights = [weight("W", 1, gates, d), weight("R", 1, gates, h), weight("B", 1, 2 * gates)]
    states = [name for name in ("h", "c") if name in inputs]
    options = {"linear_before_reset": 1} if cell == "GRU" else {}
    outputs = ["", "h_n", *(["c_n"] if cell == "LSTM" and states else [])]
    nodes = [helper.make_node(cell, ["X", "W", "R", "B", "", *states], outputs, hidden_size=h, **options)]
    results = [value(name, (1, n, h)) for name in outputs[1:]]
    if classes:
        weights += [weight("V", classes, h), weight("b", classes), numpy_helper.from_array(np.array([0]), "axes")]
        nodes.append(helper.make_node("Squeeze", ["h_n", "axes"], ["last"]))
        nodes.append(helper.make_node("Gemm", ["last", "V", "b"], ["scores"], transB=1))
        results = [value("scores", (n, classes))]
    graph = helper.make_graph(nodes, cell, [value(*item) for item in inputs.items()], results, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(model.SerializeToString(), settings, providers=["CPUExecutionProvider"])


def prediction(cell: str, n: int, t: int, d: int, h: int, classes: int, threads: int) -> dict[str, Step]:
    """Class scores, from values that already lie time-major as the operator wants them; one thread and `threads`."""
    if not _installed():
        return {}
    x = np.random.default_rng(0).standard_normal((t, n, d)).astype(np.float32)
    steps = {}
    for count in sorted({1, threads}):
        session = _session(cell, {"X": x.shape}, d, h, classes, count)
        name = f"onnxruntime, {count} thread{'s' * (count > 1)}"
        steps[name] = lambda session=session: session.run(None, {"X": x})
    return steps


def live(cell: str, d: int, h: int) -> dict[str, Step]:
    """One step, its states fed back; one thread."""
    if not _installed():
        return {}
    shapes = {"X": (1, 1, d), "h": (1, 1, h), **({"c": (1, 1, h)} if cell == "LSTM" else {})}
    session = _session(cell, shapes, d, h, 0, 1)
    feed = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    states = list(shapes)[1:]

    def step() -> None:
        for name, state in zip(states, session.run(None, feed)):
            feed[name] = state

    return {"onnxruntime": step}
