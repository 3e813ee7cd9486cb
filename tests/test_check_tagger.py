"""scikit-learn's own checks on the tagger; they have one label per row, which is given to all steps of the row."""

import numpy as np
import pytest
from sklearn.utils.estimator_checks import estimator_checks_generator

from sklearn_rnn import SemiSupervisedRNNTagger

MAY_FAIL = {  # mini-batches of repeated rows differ, as in the classifier
    "check_sample_weight_equivalence_on_dense_data": r"fitting with `sample_weight` is not equivalent to fitting with",
}


def spread(X, y):
    """Give each step the label of its row."""
    shape, labels = np.shape(np.asarray(X)), np.asarray(y)
    return np.repeat(labels[:, None], shape[1], axis=1) if labels.ndim == 1 and len(shape) == 2 else y


class SpreadTagger(SemiSupervisedRNNTagger):
    """Tagger of an array X whose labels of rows are those of all their steps."""

    def fit(self, X, y, sample_weight=None):
        return super().fit(X, spread(X, y), sample_weight)

    def score(self, X, y, sample_weight=None):
        return super().score(X, spread(X, y), sample_weight)


CHECKS = [
    pytest.param(i, id=f"{i}-{getattr(check, 'func', check).__name__}")
    for i, (_, check) in enumerate(estimator_checks_generator(SpreadTagger()))
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("number", CHECKS)
def test_scikit_learn_checks_pass(number):
    small = SpreadTagger("supervised", hidden_size=8, n_kernels=6, max_epochs=1)
    estimator, check = list(estimator_checks_generator(small))[number]
    name = getattr(check, "func", check).__name__
    if name in MAY_FAIL:
        with pytest.raises(AssertionError, match=MAY_FAIL[name]):
            check(estimator)
    else:
        check(estimator)


def test_the_checks_are_counted():
    assert len(CHECKS) > 40
