"""The private parts of scikit-learn that this package uses, which are imported only here, and constraints."""

from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils import _safe_indexing
from sklearn.utils._metadata_requests import MetadataRequest, MethodMetadataRequest, _routing_enabled
from sklearn.utils._missing import is_pandas_na
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    InvalidParameterError,
    MissingValues,
    RealNotInt,
    StrOptions,
    validate_parameter_constraints,
    validate_params,
)
from sklearn.utils.validation import _check_method_params, _check_sample_weight, _num_samples

__all__ = [
    "COUNT",
    "COUNT_OR_ZERO",
    "FRACTION",
    "MARKER",
    "NOT_NEGATIVE",
    "NUMERIC_MARKER",
    "OPEN_FRACTION",
    "POSITIVE",
    "SHARE",
    "HasMethods",
    "Interval",
    "InvalidParameterError",
    "MetadataRequest",
    "MethodMetadataRequest",
    "RealNotInt",
    "StrOptions",
    "_check_method_params",
    "_check_sample_weight",
    "_num_samples",
    "_routing_enabled",
    "_safe_indexing",
    "is_pandas_na",
    "plain",
    "plain_parameters",
    "validate_parameter_constraints",
    "validate_params",
]

COUNT = [Interval(Integral, 1, None, closed="left")]
COUNT_OR_ZERO = [Interval(Integral, 0, None, closed="left")]
NOT_NEGATIVE = [Interval(Real, 0, None, closed="left")]
POSITIVE = [Interval(Real, 0, None, closed="neither")]
SHARE = [Interval(Real, 0, 1, closed="left")]
FRACTION = [Interval(Real, 0, 1, closed="both")]
OPEN_FRACTION = [Interval(Real, 0, 1, closed="neither")]


class Marker(MissingValues):
    """Constraint: any label except a boolean, which would equal 0 or 1."""

    def is_satisfied_by(self, val: Any) -> bool:
        """Whether the value can mark unlabeled rows."""
        return not isinstance(val, bool | np.bool_) and super().is_satisfied_by(val)


NUMERIC_MARKER = [Marker(numeric_only=True), None]  # of unknown numbers: an int, a float, NaN or None
MARKER = [Marker()]  # of unlabeled rows: an int, a float, a string, None, NaN or pandas.NA


def plain(value: Any) -> Any:
    """Convert a numpy scalar to a number of Python, which torch accepts; return other values unchanged."""
    return value.item() if isinstance(value, np.generic) else value


def plain_parameters(copy: Any) -> None:
    """Convert the numpy scalars among the parameters of an estimator, a clone, to numbers of Python."""
    for name, value in copy.get_params(deep=False).items():
        setattr(copy, name, plain(value))
