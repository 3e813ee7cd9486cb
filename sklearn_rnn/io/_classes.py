"""The closed list of classes that a file may name."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import Any

from .._sklearn import MetadataRequest, MethodMetadataRequest

ROOMS = ("estimators", "model_selection", "objectives", "perturbations", "preprocessing", "tasks", "text")
SCIKIT_LEARN = {
    "compose": ("ColumnTransformer", "TransformedTargetRegressor"),
    "decomposition": ("FastICA", "PCA", "TruncatedSVD"),
    "frozen": ("FrozenEstimator",),
    "impute": ("MissingIndicator", "SimpleImputer"),
    "linear_model": (
        "ElasticNet",
        "Lasso",
        "LinearRegression",
        "LogisticRegression",
        "Ridge",
        "RidgeClassifier",
        "RidgeClassifierCV",
        "RidgeCV",
    ),
    "model_selection": (
        "GroupKFold",
        "KFold",
        "LeaveOneOut",
        "PredefinedSplit",
        "RepeatedKFold",
        "ShuffleSplit",
        "StratifiedKFold",
        "StratifiedShuffleSplit",
        "TimeSeriesSplit",
    ),
    "naive_bayes": ("GaussianNB",),
    "pipeline": ("FeatureUnion", "Pipeline"),
    "preprocessing": (
        "Binarizer",
        "FunctionTransformer",
        "LabelEncoder",
        "MaxAbsScaler",
        "MinMaxScaler",
        "Normalizer",
        "OneHotEncoder",
        "OrdinalEncoder",
        "PolynomialFeatures",
        "PowerTransformer",
        "QuantileTransformer",
        "RobustScaler",
        "StandardScaler",
    ),
    "svm": ("LinearSVC", "LinearSVR"),
}
REQUESTS = {"sklearn.MetadataRequest": MetadataRequest, "sklearn.MethodMetadataRequest": MethodMetadataRequest}


class Classes:
    """The classes that a file may name: those of this package, some of scikit-learn, and those of the caller.

    Parameters
    ----------
    more : iterable of type
        Classes of the caller.
    """

    def __init__(self, more: Iterable[type] = ()):
        self.more = {f"{cls.__module__}.{cls.__qualname__}": cls for cls in more}

    def key(self, cls: type) -> str | None:
        """Return the name of a class in files; None if it is not on the list."""
        library, _, rest = cls.__module__.partition(".")
        candidates = [f"{library}.{rest.partition('.')[0]}.{cls.__name__}", f"{cls.__module__}.{cls.__qualname__}"]
        candidates += [f"{library}.{cls.__name__}"]
        return next((key for key in candidates if self._find(key) is cls), None)

    def named(self, key: Any) -> type:
        """Return the class of this name. No module is imported for a name that is not on the list.

        Raises
        ------
        ValueError
            If the name is not on the list.
        """
        cls = self._find(key) if isinstance(key, str) else None
        if cls is None:
            raise ValueError(
                f"it names the class {key!r}, which is not on the list of classes that files may hold; nothing was "
                "imported. If the class is yours, pass it: load(path, classes=[...])"
            )
        return cls

    def _find(self, key: str) -> type | None:
        if key in self.more:
            return self.more[key]
        if key in REQUESTS:
            return REQUESTS[key]
        library, _, rest = key.partition(".")
        room, _, name = rest.partition(".")
        if library == "sklearn" and name in SCIKIT_LEARN.get(room, ()):
            return getattr(import_module(f"sklearn.{room}"), name, None)
        if library == "sklearn_rnn" and room in ROOMS:
            module = import_module(f"sklearn_rnn.{room}")
            cls = getattr(module, name) if name in module.__all__ else None
            return cls if isinstance(cls, type) else None
        return None
