"""Several inputs, of which each may have missing values and times of its own."""

import numpy as np
import pandas as pd
import pytest

from sklearn_rnn import Gaps, RNNAutoencoderTransformer, SemiSupervisedRNNClassifier, io
from sklearn_rnn.inspection import integrated_gradients

GROUPS = {"vitals": ["hours", "pulse", "pressure"], "labs": ["labs"], "static": ["age", "sex"]}
TINY = {"hidden_size": 6, "n_kernels": 4, "max_epochs": 2, "random_state": 0}


def patients(n=30):
    """A frame with two signs at irregular hours, some of them missing, laboratory values without times, age and sex."""
    random = np.random.default_rng(0)
    y, rows = np.arange(n) % 2, []
    for i in range(n):
        n_steps = random.integers(4, 12)
        signs = random.normal(size=(2, n_steps)) + y[i]
        signs[random.random(signs.shape) < 0.4] = np.nan
        labs = random.normal(size=(3, 2)) if i % 3 else None
        rows.append((np.sort(random.uniform(0, 48, n_steps)), *signs, labs, random.normal(60, 9), "fm"[i % 2]))
    X = pd.DataFrame(rows, columns=["hours", "pulse", "pressure", "labs", "age", "sex"])
    X.at[4, "pulse"] = np.full(len(X.at[4, "hours"]), np.nan)
    return X, np.where(np.arange(n) < 12, y, -1)


@pytest.fixture(scope="module")
def fitted():
    X, y = patients()
    return SemiSupervisedRNNClassifier(gaps=Gaps(times="hours"), inputs=GROUPS, **TINY).fit(X, y), X


def test_only_the_input_with_the_column_has_times(fitted):
    clf, _ = fitted
    vitals, labs, _ = clf.net_.module_.encoder.each
    assert (vitals.architecture.time_column, vitals.architecture.n_features) == (0, 2)
    assert (labs.architecture.time_column, labs.architecture.n_features) == (-1, 2)


def test_the_unit_and_the_origin_of_times_do_not_matter(fitted):
    clf, X = fitted
    later = X.assign(hours=[3600 * hours + 1e9 for hours in X["hours"]])
    other = SemiSupervisedRNNClassifier(**clf.get_params(deep=False)).fit(later, patients()[1])
    np.testing.assert_allclose(other.predict_proba(later), clf.predict_proba(X), atol=1e-4)
    moved = X.assign(hours=[hours + 5 for hours in X["hours"]])
    np.testing.assert_allclose(clf.predict_proba(moved), clf.predict_proba(X), atol=1e-5)


def test_predictions_depend_on_the_times_of_steps(fitted):
    clf, X = fitted
    squeezed = X.assign(hours=[hours**2 for hours in X["hours"]])
    assert np.abs(clf.predict_proba(squeezed) - clf.predict_proba(X)).max() > 1e-4


def test_a_row_alone_and_columns_in_another_order_get_the_same(fitted):
    clf, X = fitted
    expected = clf.predict_proba(X)
    np.testing.assert_allclose(clf.predict_proba(X.iloc[[4]])[0], expected[4], atol=1e-5)
    np.testing.assert_array_equal(clf.predict_proba(X[X.columns[::-1]]), expected)


def test_a_file_answers_the_same(fitted, tmp_path):
    clf, X = fitted
    io.save(clf, tmp_path / "clf.safetensors")
    np.testing.assert_array_equal(io.load(tmp_path / "clf.safetensors").predict_proba(X), clf.predict_proba(X))


def test_attributions_of_missing_values_and_of_times_are_zero(fitted):
    clf, X = fitted
    vitals = integrated_gradients(clf, X, target=1)["vitals"]
    assert vitals[0].shape == (len(X["hours"][0]), 3)
    assert all((part[:, 0] == 0).all() and np.isfinite(part).all() for part in vitals)
    assert (vitals[0][np.isnan(X["pulse"][0]), 1] == 0).all()
    assert np.abs(vitals[0]).max() > 0


def test_a_dictionary_names_the_times_of_each_input():
    X, y = patients()
    vitals = [np.column_stack(row) for row in zip(X["hours"], X["pulse"], X["pressure"], strict=True)]
    given = {"vitals": vitals, "static": X[["age", "sex"]]}
    clf = SemiSupervisedRNNClassifier(gaps=Gaps(times={"vitals": 0}), **TINY).fit(given, y)
    assert clf.net_.module_.encoder.each[0].architecture.time_column == 0
    assert np.isfinite(clf.predict_proba(given)).all()


@pytest.mark.parametrize("objective", ["reconstruction", "denoising", "masked_reconstruction", "contrastive"])
def test_pretexts_learn_from_inputs_with_gaps(objective):
    X, _ = patients()
    model = RNNAutoencoderTransformer(objective, gaps=Gaps(times="hours"), inputs=GROUPS, **TINY).fit(X)
    assert np.isfinite(model.transform(X)).all()


@pytest.mark.parametrize(
    ("gaps", "inputs", "message"),
    [
        (Gaps(times="hours"), None, "is an input without other columns. Group it"),
        (Gaps(times=0), None, "is a position, but X has the inputs"),
        (Gaps(times="days"), GROUPS, "is no column of X"),
        (Gaps(times={"signs": 0}), GROUPS, r"names the inputs \['signs'\]"),
        (False, GROUPS, r"Input 'vitals': Input X contains NaN(.|\n)*gaps=True"),
    ],
)
def test_times_that_belong_to_no_input_are_told(gaps, inputs, message):
    X, y = patients()
    with pytest.raises(ValueError, match=message):
        SemiSupervisedRNNClassifier(gaps=gaps, inputs=inputs, **TINY).fit(X, y)
