"""The private parts of scikit-learn that this package uses, imported here and nowhere else."""

from sklearn.utils._param_validation import Interval, InvalidParameterError, StrOptions
from sklearn.utils.validation import _check_sample_weight, _num_samples

__all__ = ["Interval", "InvalidParameterError", "StrOptions", "_check_sample_weight", "_num_samples"]
