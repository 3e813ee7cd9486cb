"""Export of nets to ONNX, which runs where there is no torch."""

from __future__ import annotations

import json
import warnings
from copy import deepcopy
from io import BytesIO
from typing import Any

import torch
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn

from .._extras import extra
from .._files import versions, write_bytes
from ..modules import FusedEncoder
from ..training import RecurrentNet
from ..training._net import _portable

OPSET = 17
N_EXAMPLES, N_STEPS = 3, 12  # of the example that is traced; the graph holds at all sizes


def to_onnx(estimator: Any, path: Any) -> None:
    """Export the net of a fitted estimator to an ONNX file, for all lengths and numbers of sequences.

    Parameters
    ----------
    estimator : estimator
        A fitted `SemiSupervisedRNNClassifier`, `SemiSupervisedRNNRegressor`, `RNNAutoencoderTransformer`, or an
        estimator of yours with a net.
    path : str or path
        The file, by habit ``*.onnx``. An older file is replaced when the new one is complete.

    Raises
    ------
    TypeError
        If the estimator has no net of its own.
    OSError
        If the file cannot be written; an older file is unchanged.
    ImportError
        If onnx is not installed.

    Notes
    -----
    The inputs are `values` and `lengths` (n,), int64. The values are the sequences, padded with anything to the same
    length: (n, steps, n_features) of float32, or (n, steps) if `fit` got a 2-D array; (n, steps) of int64 for token
    ids. They are float64 if the net subtracts an origin from large values. Scaling is part of the graph, and so are
    `max_length` and the unknown token. With ``cell="mingru"`` the graph takes memory that grows with the square of the
    number of patches.

    The outputs are `probabilities` (n, n_classes) and `labels` (n,), the positions in `classes_`, for a classifier;
    `predictions`, as `predict` returns them, and `quantiles`, if there are any, for a regressor; and `embeddings` for
    an autoencoder. The metadata of the file, in JSON, have the `classes` and the constants of the scaling.

    Examples
    --------
    >>> import numpy as np, os, tempfile
    >>> from sklearn_rnn import SemiSupervisedRNNClassifier, io
    >>> X, y = np.random.default_rng(0).normal(size=(20, 8, 2)), np.arange(20) % 2
    >>> clf = SemiSupervisedRNNClassifier(hidden_size=4, max_epochs=1, random_state=0).fit(X, y)
    >>> path = os.path.join(tempfile.mkdtemp(), "clf.onnx")
    >>> io.to_onnx(clf, path)
    >>> import onnxruntime
    >>> session = onnxruntime.InferenceSession(path)
    >>> inputs = {"values": X.astype(np.float32), "lengths": np.full(20, 8)}
    >>> (probabilities,) = session.run(["probabilities"], inputs)
    >>> bool(np.allclose(probabilities, clf.predict_proba(X), rtol=0, atol=1e-5))
    True
    """
    onnx = extra("onnx", "onnx")
    net = _net_of(estimator)
    graph = Graph(estimator, net)
    model = onnx.load_model_from_string(_exported(graph))
    onnx.helper.set_model_props(model, {name: json.dumps(value) for name, value in _metadata(estimator, net).items()})
    onnx.checker.check_model(model)
    write_bytes(path, model.SerializeToString())


def _net_of(estimator: Any) -> RecurrentNet:
    if isinstance(estimator, Pipeline):
        raise TypeError("estimator is a Pipeline; pass its last step, and transform X with the others before.")
    check_is_fitted(estimator)
    net = getattr(estimator, "net_", None)
    if not isinstance(net, RecurrentNet):
        hint = "; pass its `autoencoder_`" if hasattr(estimator, "autoencoder_") else ""
        raise TypeError(f"estimator must have a net, but {type(estimator).__name__} has none{hint}.")
    if not hasattr(estimator, "transform"):
        raise TypeError(
            f"{type(estimator).__name__} cannot be exported: its net forecasts differences from the last value, in "
            "standard deviations. Save it with io.save."
        )
    if isinstance(net.module_.encoder, FusedEncoder):
        raise TypeError(
            f"{type(estimator).__name__} cannot be exported, because its net reads several inputs. Save it with "
            "io.save."
        )
    if net.module_.task.name == "next_item":
        raise TypeError(f"{type(estimator).__name__} cannot be exported, because its items and scores are no graph.")
    if getattr(net.module_.encoder.architecture, "gaps", False):
        raise TypeError(
            f"{type(estimator).__name__} with gaps=True cannot be exported, because ONNX has no operation for the last "
            "value that was seen. Save it with io.save, or fill gaps with preprocessing.SequenceMissingIndicator."
        )
    if net.module_.task.by_step:
        raise TypeError(
            f"{type(estimator).__name__} cannot be exported, because the number of its answers is that of all steps. "
            "Save it with io.save."
        )
    return net


class Graph(nn.Module):
    """What is exported: from padded values and lengths to the outputs of the task.

    Parameters
    ----------
    estimator : estimator
        A fitted estimator.
    net : RecurrentNet
        Its net.
    """

    origin: Tensor

    def __init__(self, estimator: Any, net: RecurrentNet):
        super().__init__()
        self.model = deepcopy(_portable(net.module_))
        self.objective = net.objective
        self.kind, self.max_length = estimator._kind, estimator.max_length
        self.n_tokens = self.model.encoder.architecture.n_tokens
        self.has_origin = bool(self.model.encoder.input.origin.any())
        self.register_buffer("origin", self.model.encoder.input.origin)
        self.eval()

    def outputs(self, values: Tensor, lengths: Tensor) -> dict[str, Tensor]:
        """Return the outputs by name."""
        if self.max_length is not None:
            values, lengths = values[:, : self.max_length], lengths.clamp(max=self.max_length)
        if self.n_tokens:
            values = values.clamp(max=self.n_tokens)  # the unknown token
        elif self.kind == "table":
            values = values[:, :, None]
        if self.has_origin:
            values = (values - self.origin).float()
        return self.model.task.exported(self.objective.predict(self.model, values, lengths))

    def forward(self, values: Tensor, lengths: Tensor) -> tuple[Tensor, ...]:
        """Return the outputs."""
        return tuple(self.outputs(values, lengths).values())

    def example(self) -> tuple[Tensor, Tensor]:
        """Return inputs to trace the graph with: zeros, of different lengths."""
        shape: tuple[int, ...] = (N_EXAMPLES, N_STEPS)
        if self.kind == "series":
            shape += (self.model.encoder.architecture.n_features,)
        number = torch.float64 if self.has_origin else torch.float32
        lengths = torch.arange(N_STEPS, N_STEPS - N_EXAMPLES, -1)
        return torch.zeros(shape, dtype=torch.int64 if self.n_tokens else number), lengths


def _exported(graph: Graph) -> bytes:
    """Trace the graph with torch's older exporter, whose graphs hold at all sizes, in any number of exports."""
    example, file = graph.example(), BytesIO()
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its deprecation, and of sizes that tests have checked
        names = list(graph.outputs(*example))
        sizes = {"values": {0: "n", 1: "steps"}, "lengths": {0: "n"}} | {name: {0: "n"} for name in names}
        file_of_bytes: Any = file
        torch.onnx.export(
            graph,
            example,
            file_of_bytes,
            input_names=["values", "lengths"],
            output_names=names,
            dynamic_axes=sizes,
            opset_version=OPSET,
            dynamo=False,
        )
    return file.getvalue()


def _metadata(estimator: Any, net: RecurrentNet) -> dict[str, Any]:
    """Return what a user of the file needs to know, as JSON."""
    encoder = net.module_.encoder
    metadata = {
        "estimator": type(estimator).__name__,
        "versions": versions(),
        "kind": estimator._kind,
        "n_features_in": int(estimator.n_features_in_),
        "max_length": None if estimator.max_length is None else int(estimator.max_length),
        "patch_size": encoder.architecture.patch_size,
    }
    for name in ("feature_names_in_", "classes_"):
        if hasattr(estimator, name):
            metadata[name.removesuffix("_")] = getattr(estimator, name).tolist()
    if encoder.architecture.n_tokens:
        return metadata | {"n_tokens": encoder.architecture.n_tokens}
    constants = {name: getattr(encoder.input, name).cpu().tolist() for name in ("origin", "mean", "scale", "change")}
    return metadata | constants
