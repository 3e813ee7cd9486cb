"""scikit-learn's own checks on the estimators, every one of them counted."""

import warnings

import pytest
from sklearn.utils.estimator_checks import estimator_checks_generator

from sklearn_rnn import (
    RNNAutoencoderTransformer,
    RNNNextItemRecommender,
    RNNOutlierDetector,
    SemiSupervisedRNNClassifier,
    SemiSupervisedRNNRegressor,
)

MAY_FAIL = {  # with these messages alone
    # the check uses -1, the marker of unlabeled rows, as a class
    "check_classifiers_classes": r"(?s)Unexpected classes_ attribute .* expected '-1, 1', got '1'",
    # mini-batches of repeated rows differ
    "check_sample_weight_equivalence_on_dense_data": r"fitting with `sample_weight` is not equivalent to fitting with",
}
ANY_LENGTH = {  # of a recommender: a row is a history of items, and another length is no error
    "check_n_features_in": "",
    "check_n_features_in_after_fitting": "does not set the `n_features_in_` attribute",
    "check_transformer_general": "does not raise an error when the number of features in transform is different",
}
ESTIMATORS = {
    "RNNAutoencoderTransformer": RNNAutoencoderTransformer(),
    "RNNNextItemRecommender": RNNNextItemRecommender(),
    # 6 kernels beside 2 values: on some processors, rows whose width is no multiple of 8 differ in their last bit.
    "RNNOutlierDetector": RNNOutlierDetector(
        RNNAutoencoderTransformer(hidden_size=8, n_kernels=6, lr=0.05, max_epochs=1, random_state=0), cv=2
    ),
    "SemiSupervisedRNNClassifier": SemiSupervisedRNNClassifier(),
    "SemiSupervisedRNNRegressor": SemiSupervisedRNNRegressor(),
}
SMALL = {"hidden_size": 8, "n_kernels": 6, "max_epochs": 1}
LEARNS = {
    "check_classifiers_train",
    "check_classifiers_classes",
    "check_regressors_train",
    "check_outliers_train",
    "check_outliers_fit_predict",
}
MODEST = {  # where they have to learn
    "SemiSupervisedRNNClassifier": {"hidden_size": 16, "n_kernels": 6, "lr": 0.03, "max_epochs": 2},
    "SemiSupervisedRNNRegressor": {"hidden_size": 16, "n_kernels": 6, "lr": 0.03, "max_epochs": 12},
}
BRIEF = {  # small nets and a short epoch, but where they have to learn
    "RNNAutoencoderTransformer": SMALL,
    "RNNNextItemRecommender": {"hidden_size": 8, "max_epochs": 1},
    "RNNOutlierDetector": {"autoencoder__max_epochs": 1},
    "SemiSupervisedRNNClassifier": SMALL,
    "SemiSupervisedRNNRegressor": SMALL,
}


def name_of(check):
    return getattr(check, "func", check).__name__


def case(kind, i, name):
    """Return the `i`th check of an estimator, for which epochs are long where it has to learn."""
    marks = [pytest.mark.full_epochs] if name in LEARNS else []
    if name == "check_regressors_train":
        marks.append(pytest.mark.slow)  # a net learns its 200 rows by heart
    return pytest.param(kind, i, id=f"{kind}-{i}-{name}", marks=marks)


CHECKS = [
    case(kind, i, name_of(check))
    for kind, estimator in ESTIMATORS.items()
    for i, (_, check) in enumerate(estimator_checks_generator(estimator))
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("kind", "number"), CHECKS)
def test_scikit_learn_checks_pass(kind, number):
    estimator, check = list(estimator_checks_generator(ESTIMATORS[kind]))[number]
    name = name_of(check)
    estimator.set_params(**(MODEST.get(kind, {}) if name in LEARNS else BRIEF[kind]))
    excluded = MAY_FAIL if kind.startswith("SemiSupervised") else ANY_LENGTH if "Recommender" in kind else {}
    if name in excluded:
        with pytest.raises(AssertionError, match=excluded[name]):
            check(estimator)
    else:
        check(estimator)


def test_the_checks_are_counted(capsys):
    counts = {kind: sum(p.values[0] == kind for p in CHECKS) for kind in ESTIMATORS}
    with capsys.disabled():
        print(f"\ncheck_estimator: {counts} checks, {len(MAY_FAIL)} of the classifier fail as expected, 1 of the other")
    assert min(counts.values()) > 40


@pytest.mark.full_epochs
def test_the_classes_check_passes_where_the_marker_is_none():
    checks = estimator_checks_generator(
        SemiSupervisedRNNClassifier("supervised", missing_label=None, **MODEST["SemiSupervisedRNNClassifier"])
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for estimator, check in checks:
            if name_of(check) == "check_classifiers_classes":
                check(estimator)
                return
    raise AssertionError("check_classifiers_classes did not run")
