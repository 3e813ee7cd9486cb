"""The public estimators, one a file."""

from ._autoencoder import RNNAutoencoderTransformer
from ._classifier import SemiSupervisedRNNClassifier
from ._detector import RNNOutlierDetector

__all__ = ["RNNAutoencoderTransformer", "RNNOutlierDetector", "SemiSupervisedRNNClassifier"]
