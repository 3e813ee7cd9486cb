"""
A label for each step
=====================

A machine that idles, starts up and runs, seen by two sensors. Three recordings of forty are labeled step by step;
the tagger learns from all of them where one state ends and the next begins.
"""

# %%
import numpy as np

from sklearn_rnn import SemiSupervisedRNNTagger
from sklearn_rnn.inspection import find_segments
from sklearn_rnn.plotting import SegmentDisplay

random = np.random.default_rng(0)
names = np.array(["idle", "start", "run"])


def recording():
    """Two sensors and the state of each step: idle, then a ramp, then a hum; of random lengths."""
    n_idle, n_start, n_run = random.integers((20, 15, 30), (45, 30, 60))
    states = np.repeat([0, 1, 2], [n_idle, n_start, n_run])
    power = np.concatenate([np.zeros(n_idle), np.linspace(0, 2, n_start), np.full(n_run, 2.0)])
    hum = np.where(states == 2, np.sin(np.arange(len(states)) * 1.3 + random.uniform(0, 6)), 0)
    sensors = np.stack([power, hum], axis=1) + random.normal(0, 0.5, size=(len(states), 2))
    return sensors, names[states]


X, y = zip(*[recording() for _ in range(50)], strict=True)
known = [tags if i < 3 else None for i, tags in enumerate(y[:40])]  # None: nobody labeled this recording

# %%
# Fit with the unlabeled recordings, and without them.
small = {"missing_label": None, "hidden_size": 24, "n_kernels": 16, "patch_size": 3, "max_epochs": 6, "random_state": 0}
for objective in ("supervised", "cross_view"):
    tagger = SemiSupervisedRNNTagger(objective, **small).fit(X[:40], known)
    print(f"{objective}: {tagger.score(X[40:], y[40:]):.3f} of the steps of 10 new recordings")

# %%
# The states of a new recording as segments, with the true ones in the strip below. In the list, runs of fewer than 5
# steps join their longer neighbour.
display = SegmentDisplay.from_estimator(tagger, X[41], y[41], names=["power", "hum"])
for start, stop, state in find_segments(tagger.predict([X[41]])[0], min_length=5):
    print(f"{state}: steps {start} to {stop - 1}")
