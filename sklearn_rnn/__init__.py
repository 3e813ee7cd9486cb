"""Learning from many sequences and few labels, with recurrent nets, as scikit-learn estimators."""

from ._autoencoder import RNNAutoencoderTransformer
from ._classifier import SemiSupervisedRNNClassifier
from ._detector import RNNOutlierDetector

__all__ = ["RNNAutoencoderTransformer", "RNNOutlierDetector", "SemiSupervisedRNNClassifier", "__version__"]
__version__ = "0.1.0"
