"""A catalogue of a million items."""

import subprocess
import sys

import pytest

FIT = """
import numpy as np
from sklearn_rnn import Embedding, RNNNextItemRecommender, io

items = np.random.default_rng(0).permutation(1_000_000)
X = list(items.reshape(1000, 1000))
params = {"hidden_size": 16, "embedding": Embedding(32, "random"), "n_negatives": 256, "memory": 0, "batch_size": 64}
rec = RNNNextItemRecommender(max_length=None, max_epochs=1, random_state=0, **params).fit(X)
assert len(rec.items_) == 1_000_000
io.save(rec, PATH)
"""
RECOMMEND = """
import resource
import numpy as np
from sklearn_rnn import io

rec = io.load(PATH)
X = list(np.random.default_rng(1).integers(1_000_000, size=(1_000, 20)))
best = rec.recommend(X, n_items=10)
assert best.shape == (1_000, 10)  # their scores are four gigabytes
scores = next(rec.iter_scores(X[:2]))
for row, seen, chosen in zip(scores, X, best):
    row[seen] = -np.inf
    assert set(np.argsort(-row)[:10]) == set(chosen)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def run(code, path):
    script = f"PATH = {str(path)!r}\n{code}"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_thousand_users_get_recommendations_from_a_million_items_within_two_gigabytes(tmp_path):
    run(FIT, tmp_path / "rec.safetensors")
    kilobytes = int(run(RECOMMEND, tmp_path / "rec.safetensors"))
    assert kilobytes * 1024 < 2e9
