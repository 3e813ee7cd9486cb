"""How smooth whole-numbered sensors and token ids are: what tells one from the other in `sklearn_rnn/_misread.py`.

    python benchmarks/values_or_ids.py ../shared/data

The folder holds the data sets with their `load.py`. Prints, for each, the roughness, and whether `fit` would warn.
"""

import sys

import numpy as np

from sklearn_rnn.sequences._misread import _look_measured, roughness
from sklearn_rnn.text import TokenSequenceVectorizer

VECTORIZERS = {"words": {}, "all words": {"min_df": 1}, "characters": {"analyzer": "char"}}
SENSORS = {
    "har": 100,
    "cricketx": 10,
    "ecg5000": 10,
    "two_patterns": 10,
    "trace": 20,
    "bonn_eeg": 1,
    "japanese_vowels": 20,
}
SENSORS |= {"fsdd": 5}
random = np.random.default_rng(0)


def show(name, X):
    steps, lengths = np.concatenate(X), np.array([len(x) for x in X])
    sees, rough = "warns" if _look_measured(steps, lengths) else "-", roughness(steps, lengths)[0]
    print(f"{name:28s} {len(X):6d} sequences  roughness {rough:.2f}  {sees}")


def show_ids(load):
    for name in ("mr", "trec", "sst5", "news20"):
        documents = load(name)["X"]
        for n in (30, 200, 1500):
            some = [documents[i] for i in random.permutation(len(documents))[:n]]
            for kind, parameters in VECTORIZERS.items():
                show(f"{name}, {n}, {kind}", TokenSequenceVectorizer(**parameters).fit_transform(some))
    sentences, films = load("ud_ewt"), load("ml100k")
    show("ud_ewt, tags", sentences["y"])
    _, numbers = np.unique(np.concatenate(sentences["X"]), return_inverse=True)
    show("ud_ewt, sorted words", np.split(numbers, np.cumsum([len(x) for x in sentences["X"]])[:-1]))
    show("ud_ewt, codes", [np.array([ord(c) for c in " ".join(x.tolist())]) for x in sentences["X"]])
    show("ml100k, films", films["X"])
    show("ml100k, ratings", films["ratings"])


def show_measurements(load):
    for name, scale in SENSORS.items():
        X = [np.round(np.asarray(x)[:, 0] * scale).astype(np.int64) for x in load(name)["X"][:200]]
        lowest = min(x.min() for x in X)
        show(f"{name} * {scale}", [x - lowest for x in X])
    for i in range(0, 58, 3):
        nab = load("nab")
        show(f"nab, {str(nab['names'][i])[-20:]}", [np.round(nab["X"][i][:, 0]).astype(np.int64)])
    etth1 = load("etth1")
    for column, x in zip(etth1["columns"], etth1["X"].T, strict=True):
        show(f"etth1, {column}", list(np.round(x[:17400]).astype(np.int64).reshape(-1, 24)))


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    from load import load

    show_ids(load)
    show_measurements(load)
