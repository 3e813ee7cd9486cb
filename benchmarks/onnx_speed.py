"""Speed of an exported net at batch 1 against `predict_proba`; writes ``benchmarks/onnx_speed.md``.

One thread each. Times are of the processor, so that other processes do not count; each is the median of calls that take
turns.
"""

from __future__ import annotations

import os
import platform
import tempfile
import warnings
from functools import partial
from pathlib import Path
from time import process_time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import onnxruntime
import torch

from sklearn_rnn import SemiSupervisedRNNClassifier, io

OUTPUT = Path(__file__).with_suffix(".md")
N_CALLS, BATCHES, LENGTHS = 60, (1, 64), (24, 100, 400)
NETS = {
    "default (GRU, 64 units, numbers)": ("numbers", {}),
    "LSTM": ("numbers", {"cell": "lstm"}),
    "128 units, 2 layers": ("numbers", {"hidden_size": 128, "num_layers": 2}),
    "default, token ids": ("tokens", {}),
}


def sequences(kind: str, n: int, n_steps: int, seed: int) -> list[np.ndarray]:
    """Draw sequences of one length."""
    random = np.random.default_rng(seed)
    if kind == "tokens":
        return list(random.integers(0, 2000, (n, n_steps)))
    return list(random.normal(size=(n, n_steps, 3)).astype(np.float32))


def milliseconds(calls: list) -> list[float]:
    """Median processor time of each of the calls, which take turns."""
    times = np.empty((N_CALLS, len(calls)))
    for row in times:
        for k, call in enumerate(calls):
            started = process_time()
            call()
            row[k] = process_time() - started
    return (1000 * np.median(times[5:], axis=0)).tolist()


def measure(kind: str, params: dict, folder: Path) -> list[str]:
    """Return the rows of the table for one net: a row for each length and batch size."""
    rows = []
    for n_steps in LENGTHS:
        clf = SemiSupervisedRNNClassifier("supervised", max_epochs=1, random_state=0, **params)
        clf.fit(sequences(kind, 100, n_steps, 0), np.arange(100) % 4)
        io.to_onnx(clf, folder / "net.onnx")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(folder / "net.onnx", options)
        for n in BATCHES:
            X = sequences(kind, n, n_steps, 1)
            inputs = {"values": np.stack(X), "lengths": np.full(n, n_steps)}
            run = partial(session.run, ["probabilities"], inputs)
            here, there = milliseconds([partial(clf.predict_proba, X), run])
            error = np.abs(run()[0] - clf.predict_proba(X)).max()
            rows.append(f"{n_steps} | {n} | {here:.2f} | {there:.2f} | {here / there:.1f} | {error:.0e}")
    return rows


def main() -> None:
    """Measure, print and write the table."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    lines = [
        "# Exported nets against `predict_proba`",
        "",
        "`python benchmarks/onnx_speed.py`; one thread, milliseconds of processor time for a call, median of "
        f"{N_CALLS} calls that take turns.",
        f"torch {torch.__version__}, onnxruntime {onnxruntime.__version__}, {platform.machine()}.",
        "",
        "| net | length | batch | `predict_proba` | ONNX | times as fast | largest difference |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    with tempfile.TemporaryDirectory() as folder:
        for name, (kind, params) in NETS.items():
            for row in measure(kind, params, Path(folder)):
                lines.append(f"| {name} | {row} |")
                print(lines[-1], flush=True)
    OUTPUT.write_text("\n".join(lines) + "\n", encoding="utf8")


if __name__ == "__main__":
    main()
