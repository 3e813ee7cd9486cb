"""The next film of each user of MovieLens 100K, all films ranked, at default parameters.

    python benchmarks/next_item.py BENCH_FOLDER  # run what is missing
    python benchmarks/next_item.py               # the table again, from the runs kept

BENCH_FOLDER holds `next_item.py` with the protocol: leave one out, all items ranked but those seen before; the hit rate
and the NDCG of the best 10. The defaults were chosen on the items before the last of each user, never on the last. Runs
are kept in benchmarks/next_item.csv and not repeated. The table is written to benchmarks/next_item.md.
"""

import sys
import time
from importlib import util
from pathlib import Path

import numpy as np
import torch
from item_baselines import ItemNeighbours, Markov, Popularity
from runs import Runs

from sklearn_rnn import RNNNextItemRecommender

HERE = Path(__file__).resolve().parent
RUNS = Runs("next_item", ("method", "seed"), ("hit_rate", "ndcg", "seconds"), folder=HERE)
FLOORS = {"popularity": Popularity, "markov": Markov, "item_neighbours": ItemNeighbours}
NETS = {
    "recommender": {},
    "bpr_max": {"loss": "bpr_max"},
    "top1_max": {"loss": "top1_max"},
}
SEEDS = 3


def main(folder=None):
    """Run what is missing, then write the table."""
    if folder is not None and (Path(folder) / "next_item.py").exists():
        torch.set_num_threads(1)
        run_missing(protocol(folder).task())
    elif folder is not None:
        print(f"{folder} has no next_item.py: nothing is run, the table is of the runs kept.")
    write(RUNS.read())


def protocol(folder):
    """Import the protocol."""
    spec = util.spec_from_file_location("protocol", Path(folder) / "next_item.py")
    module = util.module_from_spec(spec)
    sys.modules["protocol"] = module
    spec.loader.exec_module(module)
    return module


def run_missing(task):
    """Run all methods and seeds that are not kept yet."""
    for name, floor in FLOORS.items():
        run(task, name, 0, floor())
    for name, params in NETS.items():
        for seed in range(SEEDS):
            run(task, name, seed, RNNNextItemRecommender(random_state=seed, **params))


def run(task, name, seed, recommender):
    """Add a run, if it is missing."""
    if (name, str(seed)) in RUNS.read():
        return
    started = time.process_time()
    recommender.fit(task.contexts)
    seconds = time.process_time() - started
    scores = np.full((len(task.contexts), task.n_items), -np.inf)
    scores[:, recommender.items_] = recommender.decision_function(task.contexts)
    hit_rate, ndcg = task.score(scores)
    RUNS.keep(name, seed, f"{hit_rate:.4f}", f"{ndcg:.4f}", f"{seconds:.0f}")


def write(runs):
    """Write the table: mean and standard deviation over seeds."""
    lines = ["# The next film of each user", "", "`python benchmarks/next_item.py BENCH_FOLDER`", ""]
    lines += ["| MovieLens 100K | HR@10 | NDCG@10 | seconds of `fit` | seeds |", "| --- " * 5 + "|"]
    for method in (*FLOORS, *NETS):
        values = np.array([run for key, run in runs.items() if key[0] == method])
        if len(values):
            mean, spread = values.mean(0), values.std(0)
            cells = [
                f"{m:.3f}" + (f" ± {s:.3f}" if len(values) > 1 else "")
                for m, s in zip(mean[:2], spread[:2], strict=True)
            ]
            lines.append(f"| {method} | {cells[0]} | {cells[1]} | {mean[2]:.0f} | {len(values)} |")
    lines += [
        "",
        "943 users, 1,682 films. The last film of each user is to be found among all that the user had not seen.",
    ]
    lines += ["`fit` gets all films before it. Seconds are CPU time of one thread, on a machine with other work."]
    (HERE / "next_item.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
