"""Time and accuracy of whole fits at default parameters, beside those of an older commit.

    git worktree add --detach OLD 5e94902
    python benchmarks/fits.py BENCH_FOLDER OLD [ROUNDS]

Each fit runs in a process of its own, on one thread, in turns with the same fit of the older commit. Seconds are those
of the processor, from `fit` on, after a short first fit. Runs are kept in benchmarks/fits.csv; the table is
benchmarks/fits.md. A run costs up to two minutes.
"""

import os
import statistics
import subprocess
import sys
from pathlib import Path

from runs import Runs

HERE = Path(__file__).resolve().parent
RUNS = Runs("fits", ("task", "method", "version", "round"), ("seconds", "accuracy"), folder=HERE)
TASKS = ("cricketx:0.1", "japanese_vowels:0.1", "fsdd:0.01")
METHODS = ("supervised", "auto")
VERSIONS = ("old", "new")
ONE = """
import sys, time, warnings
import torch
from protocol import make_task
from sklearn_rnn import SemiSupervisedRNNClassifier
torch.set_num_threads(1)
warnings.simplefilter("ignore")
name, labels, method, seed = sys.argv[1:]
cut = make_task(name, float(labels), int(seed))
SemiSupervisedRNNClassifier(method, max_epochs=1).fit(cut.X_train, cut.y_train)
clf = SemiSupervisedRNNClassifier(method, random_state=int(seed))
started = time.process_time()
clf.fit(cut.X_train, cut.y_train)
print(time.process_time() - started, clf.score(cut.X_test, cut.y_test))
"""


def main(bench, old, n_rounds):
    """Run what is missing, then write the table."""
    folders = {"old": Path(old).resolve(), "new": HERE.parent}
    for k in range(n_rounds):
        for task in TASKS:
            for method in METHODS:
                for version in VERSIONS:
                    if (task, method, version, str(k)) not in RUNS.read():
                        seconds, accuracy = run(Path(bench).resolve(), folders[version], *task.split(":"), method, k)
                        RUNS.keep(task, method, version, k, f"{seconds:.2f}", f"{accuracy:.4f}")
    write()


def run(bench, package, name, labels, method, seed):
    """Return the seconds of a fit, and its accuracy on the test rows."""
    path = os.pathsep.join(map(str, (package, bench, bench.parent / "data")))
    environment = os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", ONE, name, labels, method, str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment, cwd=package)
    seconds, accuracy = map(float, done.stdout.split())
    return seconds, accuracy


def write():
    """Write the table from the runs kept."""
    done = RUNS.read()
    lines = [
        "| task | objective | seconds, old | new | ratio | accuracy, old | new |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for task in TASKS:
        for method in METHODS:
            rounds = [key[3] for key in done if key[:3] == (task, method, "new")]
            rounds = [k for k in rounds if (task, method, "old", k) in done]
            if rounds:
                seconds, accuracies = (
                    {v: [float(done[task, method, v, k][i]) for k in rounds] for v in VERSIONS} for i in (0, 1)
                )
                ratio = statistics.median(n / o for n, o in zip(seconds["new"], seconds["old"], strict=True))
                times = " | ".join(f"{statistics.median(seconds[v]):.1f}" for v in VERSIONS)
                scores = " | ".join(f"{100 * statistics.mean(accuracies[v]):.1f}" for v in VERSIONS)
                lines.append(f"| {task} | {method} | {times} | {ratio:.2f} | {scores} |")
    (HERE / "fits.md").write_text("\n".join(lines) + "\n", encoding="utf8")
    print("\n".join(lines))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 2)
