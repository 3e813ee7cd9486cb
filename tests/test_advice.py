"""What an error or a warning says to pass instead."""

import re

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.utils._param_validation import InvalidParameterError
from skorch.callbacks import Callback

from sklearn_rnn import RNNAutoencoderTransformer, SemiSupervisedRNNClassifier
from sklearn_rnn.objectives import MeanTeacher, NextStep, Reconstruction
from sklearn_rnn.perturbations import Strong
from sklearn_rnn.preprocessing import SequenceImputer, SequenceMissingIndicator
from sklearn_rnn.text import TokenSequenceVectorizer

SMALL = {"hidden_size": 4, "n_kernels": 8, "max_epochs": 1, "random_state": 0}
X = np.random.default_rng(0).normal(size=(8, 5, 2))
Y = np.arange(8) % 2
nan = np.nan
nets = pytest.mark.parametrize("cls", [SemiSupervisedRNNClassifier, RNNAutoencoderTransformer])


class Mine(Callback):
    """A callback that does nothing."""


@nets
@pytest.mark.parametrize(
    ("parameters", "advice"),
    [
        ({"callbacks": Mine()}, "Put it in a list: callbacks=[...]."),
        ({"callbacks": Mine}, "Put it in a list: callbacks=[...]."),
        ({"objective": MeanTeacher}, "Pass an instance, MeanTeacher()."),
        ({"augmentation": "strong"}, "Pass an object, perturbations.Strong()."),
        ({"strong_augmentation": "time_warp"}, "Pass an object, perturbations.TimeWarp()."),
        ({"augmentation": "hard"}, "Pass an object, such as perturbations.Light()."),
    ],
)
def test_a_parameter_of_another_form_is_refused_with_what_to_pass(cls, parameters, advice):
    (name,) = parameters
    with pytest.raises(InvalidParameterError, match=f"The '{name}' parameter of {cls.__name__}.*{re.escape(advice)}$"):
        cls(**{**SMALL, **parameters}).fit(X, Y)


def test_a_class_for_pretraining_is_refused_with_its_brackets():
    with pytest.raises(InvalidParameterError, match=r"'pretraining' parameter .*Pass an instance, NextStep\(\)\.$"):
        SemiSupervisedRNNClassifier(pretraining=NextStep, **SMALL).fit(X, Y)


def test_what_the_advice_names_works():
    parameters = {**SMALL, "callbacks": [Mine()], "augmentation": Strong()}
    RNNAutoencoderTransformer(Reconstruction(), **parameters).fit(X)


@nets
@pytest.mark.parametrize("name", ["augmentation", "strong_augmentation"])
@pytest.mark.parametrize("function", [lambda x: x + 0.1, lambda x, lengths: x, lambda: 0])
def test_an_augmentation_of_other_arguments_is_refused_with_its_name(cls, name, function):
    with pytest.raises(TypeError, match=rf"^{name} must be a callable with the arguments \(values, lengths"):
        cls(**SMALL, **{name: function}).fit(X, Y)


@pytest.mark.parametrize("function", [lambda x, *rest: x + 0.1, lambda x, lengths, generator=None: x + 0.1])
def test_an_augmentation_that_takes_the_arguments_in_another_way_is_called(function):
    RNNAutoencoderTransformer(**SMALL, augmentation=function).fit(X)


@nets
def test_one_sequence_at_predict_is_told_from_many(cls):
    estimator = cls(**SMALL).fit(X, Y)
    with pytest.raises(ValueError, match=r"X is a 2-D array.* For one sequence, pass X\[np\.newaxis\] or \[X\]\.$"):
        estimator.transform(X[0])
    np.testing.assert_array_equal(estimator.transform(X[0][np.newaxis]), estimator.transform([X[0]]))
    with pytest.raises(ValueError, match=r"was fitted on sequences.*list of arrays\)\.$"):
        estimator.transform(X[:, :, 0])  # five steps of one value: no sequence of two features


@nets
@pytest.mark.parametrize("form", [pd.DataFrame, pl.DataFrame])
def test_one_frame_at_predict_is_told_from_many(cls, form):
    frames = [form(x, columns=["a", "b"]) if form is pd.DataFrame else form(x, schema=["a", "b"]) for x in X]
    estimator = cls(**SMALL).fit(frames, Y)
    with pytest.raises(ValueError, match=r"X is one frame of numbers.* For one sequence, pass \[X\]\.$"):
        estimator.transform(frames[0])


@nets
@pytest.mark.parametrize("form", [pd.DataFrame, pl.DataFrame])
def test_a_text_column_of_a_frame_is_named(cls, form):
    frames = [form({"a": [1.0, 2], "kind": ["1", "walk"], "b": [0.5, 1]}) for _ in range(8)]
    with pytest.raises(ValueError, match=r"X\[0\]\['kind'\] cannot be read as numbers: .*'walk'"):
        cls(**SMALL).fit(frames, Y)
    table = form({"a": np.arange(8.0), "kind": [*"abcdefgh"]})
    with pytest.raises(ValueError, match=r"X\['kind'\] cannot be read as numbers: .*'a'"):
        cls(**SMALL).fit(table, Y)


@pytest.mark.parametrize("missing", [nan, None, pd.NA])
@pytest.mark.parametrize("analyzer", ["word", "char"])
def test_a_missing_document_is_named_with_what_fills_it(missing, analyzer):
    documents = pd.Series(["a good film", missing, "a film"], dtype=object)
    with pytest.raises(ValueError, match=r"X\[1\] is .*; `fillna\(''\)` replaces missing documents by empty ones"):
        TokenSequenceVectorizer(analyzer=analyzer).fit(documents)
    assert len(TokenSequenceVectorizer(analyzer=analyzer).fit_transform(documents.fillna(""))) == 3


@pytest.mark.parametrize("imputer", [SequenceImputer(), SequenceMissingIndicator()])
@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda x: pd.DataFrame(x, columns=["a", "b"]), "'b'"),
        (lambda x: x, "1"),
    ],
)
def test_a_feature_that_was_never_seen_is_named_and_filled_with_zero(imputer, make, name):
    steps = [make(np.array([[1.0, nan], [nan, nan], [3.0, nan]]))] * 2
    imputer = clone(imputer)
    with pytest.warns(UserWarning, match=rf"without any observed value in fit: \[{name}\]\. {type(imputer).__name__}"):
        filled = imputer.fit(steps).transform(steps)
    assert filled[0][:, 1].tolist() == [0, 0, 0]
    assert imputer.mean_.tolist() == [2, 0]


def test_a_table_without_any_value_is_filled_with_zero_and_a_warning():
    with pytest.warns(UserWarning, match="without any observed value"):
        assert SequenceImputer().fit_transform(np.full((2, 3), nan)).tolist() == [[0, 0, 0]] * 2
