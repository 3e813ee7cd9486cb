"""Learning from many sequences and few labels, with recurrent nets, as scikit-learn estimators."""

from .estimators import RNNAutoencoderTransformer, RNNOutlierDetector, SemiSupervisedRNNClassifier

__all__ = ["RNNAutoencoderTransformer", "RNNOutlierDetector", "SemiSupervisedRNNClassifier", "__version__"]
__version__ = "0.1.0"
