"""Time of a fit in one and in two processes; prints a table and writes ``benchmarks/processes.md``.

``python benchmarks/processes.py``. Each process has one thread. Seconds are those of an epoch, the smallest of three:
on the clock, and of the processor in the process that takes longest. On an idle machine the first count; on a busy one
the second, which leave out how long the processes wait for each other.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from time import perf_counter, process_time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from skorch.callbacks import ParamMapper

from sklearn_rnn import SemiSupervisedRNNClassifier

OUTPUT = Path(__file__).resolve().parent / "processes.md"
N, T = 1280, 200
CASES = {
    "supervised, 128 units": {"objective": "supervised", "hidden_size": 128},
    "fixmatch, 128 units": {"objective": "fixmatch", "hidden_size": 128},
    "supervised, 128 units, patch_size=1": {"objective": "supervised", "hidden_size": 128, "patch_size": 1},
}


class Clock(ParamMapper):  # of a class that is called in all processes
    """Measures each epoch."""

    def __init__(self):
        super().__init__([])

    def on_train_begin(self, net, **kwargs):
        self.seconds_ = []

    def on_epoch_begin(self, net, **kwargs):
        self.started_ = perf_counter(), process_time()

    def on_epoch_end(self, net, **kwargs):
        self.seconds_.append((perf_counter() - self.started_[0], process_time() - self.started_[1]))


def measured(params: dict) -> list[float]:
    """Fit, and return the smallest seconds of an epoch, on the clock and of the processor."""
    rng = np.random.default_rng(0)
    y = np.arange(N) % 2
    X = rng.standard_normal((N, T, 2), dtype=np.float32) + 0.5 * y[:, None, None].astype(np.float32)
    few = np.where(np.arange(N) < N // 2, y, -1)
    clock = Clock()
    SemiSupervisedRNNClassifier(max_epochs=3, batch_size=64, random_state=0, callbacks=[clock], **params).fit(X, few)
    return np.min(clock.seconds_, axis=0).tolist()


def together(n: int, case: str) -> list[float]:
    """Return the seconds of the slowest of n processes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    running = []
    for rank in range(n):
        variables = {"RANK": str(rank), "WORLD_SIZE": str(n), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
        environment = os.environ | (variables if n > 1 else {})
        command = [sys.executable, __file__, case]
        running.append(subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True))
    found = [json.loads(process.communicate()[0].splitlines()[-1]) for process in running]
    return np.max(found, axis=0).tolist()


def main() -> None:
    lines = [
        "| fit | one process | two | times as fast | processor, one | processor, two | times |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for case in CASES:
        one, two = together(1, case), together(2, case)
        cells = [one[0], two[0], one[0] / two[0], one[1], two[1], one[1] / two[1]]
        lines.append(f"| {case} | " + " | ".join(f"{cell:.2f}" for cell in cells) + " |")
        print(lines[-1], flush=True)
    load = os.getloadavg()[0]
    OUTPUT.write_text(
        f"# One fit in two processes\n\n`python benchmarks/processes.py`: seconds of an epoch, {N} rows of {T} steps, "
        f"half of them labeled, batches of 64; {os.cpu_count()} cores, load {load:.1f} at the end.\n\n"
        + "\n".join(lines)
        + "\n",
        encoding="utf8",
    )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measured(CASES[sys.argv[1]])))
    else:
        main()
