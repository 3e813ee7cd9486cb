"""The next film of each user of MovieLens 100K, all films ranked, at default parameters.

    python benchmarks/next_item.py BENCH_FOLDER             # run what is missing
    python benchmarks/next_item.py BENCH_FOLDER validation  # the runs that chose the defaults
    python benchmarks/next_item.py                          # the tables again, from the runs kept

BENCH_FOLDER holds `next_item.py` with the protocol: leave one out, all items ranked but those seen before; the hit rate
and the NDCG of the best 10. The defaults were chosen on the 4 items before the last of each user, never on the last:
nets learn from what is before them, and predict each of them in turn. Runs are kept in benchmarks/next_item.csv and
benchmarks/next_item_validation.csv, and not repeated. The tables are written to benchmarks/next_item.md.
"""

import sys
import time
import warnings
from dataclasses import replace
from importlib import util
from pathlib import Path

import numpy as np
import torch
from item_baselines import ItemNeighbours, Markov, Popularity
from runs import Runs, shown

from sklearn_rnn import Embedding, RNNNextItemRecommender

HERE = Path(__file__).resolve().parent
RUNS = Runs("next_item", ("method", "seed"), ("hit_rate", "ndcg", "seconds"), folder=HERE)
FLOORS = {"popularity": Popularity, "markov": Markov, "item_neighbours": ItemNeighbours}
NETS = {
    "recommender": {},
    "bpr_max": {"loss": "bpr_max"},
    "top1_max": {"loss": "top1_max"},
}
SEEDS = 3
CHOICES = Runs("next_item_validation", ("method", "seed"), ("hit_rate", "ndcg", "seconds"), folder=HERE)
VARIANTS = {  # of the defaults
    "random first vectors": {"embedding": Embedding(init="random")},
    "no item_dropout": {"item_dropout": 0},
    "dropout=0.2": {"dropout": 0.2},
    "embedding__size=128": {"embedding": Embedding(128)},
    "hidden_size=64": {"hidden_size": 64},
    "max_length=200": {"max_length": 200, "batch_size": 16},
    "recency=50": {"recency": 50},
    "memory=0": {"memory": 0},
    "tied=False": {"tied": False},
    "max_epochs=30": {"max_epochs": 30},
}
N_VALIDATION = 4  # items before the last


def main(folder=None, what="test"):
    """Run what is missing, then write the tables."""
    if folder is not None and (Path(folder) / "next_item.py").exists():
        torch.set_num_threads(1)
        (choose if what == "validation" else run_missing)(protocol(folder).task())
    elif folder is not None:
        print(f"{folder} has no next_item.py: nothing is run, the table is of the runs kept.")
    write(RUNS.read(), CHOICES.read())


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
    hit_rate, ndcg = task.score(scores_of(recommender, task.contexts, task.n_items))
    RUNS.keep(name, seed, f"{hit_rate:.4f}", f"{ndcg:.4f}", f"{seconds:.0f}")


def scores_of(recommender, histories, n_items):
    """Scores (n, n_items) of all films; minus infinity for those that `fit` did not have."""
    scores = np.full((len(histories), n_items), -np.inf)
    scores[:, recommender.items_] = recommender.decision_function(histories)
    return scores


def choose(task):
    """Run the variants of the defaults that are missing, on the items before the last."""
    methods = {name: floor() for name, floor in FLOORS.items()}
    methods |= {"default": RNNNextItemRecommender(random_state=0)}
    methods |= {name: RNNNextItemRecommender(random_state=0, **params) for name, params in VARIANTS.items()}
    for name, recommender in methods.items():
        if (name, "0") in CHOICES.read():
            continue
        started = time.process_time()
        recommender.fit([x[:-N_VALIDATION] for x in task.contexts])
        seconds = time.process_time() - started
        results = [validated(task, recommender, k) for k in range(N_VALIDATION)]
        hit_rate, ndcg = np.mean(results, axis=0)
        CHOICES.keep(name, 0, f"{hit_rate:.4f}", f"{ndcg:.4f}", f"{seconds:.0f}")


def validated(task, recommender, k):
    """Hit rate and NDCG of the k-th of the items before the last."""
    ends = [len(x) - N_VALIDATION + k for x in task.contexts]
    contexts = [x[:end] for x, end in zip(task.contexts, ends, strict=True)]
    following = np.array([x[end] for x, end in zip(task.contexts, ends, strict=True)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of the films that only later items have
        scores = scores_of(recommender, contexts, task.n_items)
    return replace(task, contexts=contexts, next=following).score(scores)


def write(runs, choices):
    """Write the tables: mean and standard deviation over seeds."""
    lines = ["# The next film of each user", "", "`python benchmarks/next_item.py BENCH_FOLDER`", ""]
    lines += table("MovieLens 100K", (*FLOORS, *NETS), runs)
    lines += ["", "943 users, 1,682 films. The last film of each user is to be found among all that the user had not"]
    lines += ["seen; `fit` gets all films before it. Seconds are CPU time of one thread, on a machine with other work."]
    if choices:
        lines += ["", "## How the defaults were chosen", ""]
        lines += [
            "`python benchmarks/next_item.py BENCH_FOLDER validation`: the 4 films before the last are predicted,"
        ]
        lines += [
            f"each after what came before it; `fit` got none of them. One seed. {4 * 943:,} predictions have a standard"
        ]
        lines += ["error of about 0.007 in the hit rate.", ""]
        lines += table("items before the last", (*FLOORS, "default", *VARIANTS), choices)
    (HERE / "next_item.md").write_text("\n".join(lines) + "\n")


def table(title, methods, runs):
    """Lines of a table of the methods that have runs."""
    lines = [f"| {title} | HR@10 | NDCG@10 | seconds of `fit` | seeds |", "| --- " * 5 + "|"]
    for method in methods:
        values = np.array([run for key, run in runs.items() if key[0] == method])
        if len(values):
            hit_rate, ndcg = (shown(values[:, i], digits=3) for i in range(2))
            lines.append(f"| {method} | {hit_rate} | {ndcg} | {values[:, 2].mean():.0f} | {len(values)} |")
    return lines


if __name__ == "__main__":
    main(*sys.argv[1:])
