"""Learning from many sequences and few labels, with recurrent nets, as scikit-learn estimators."""

from .estimators import (
    Embedding,
    Gaps,
    Optimizer,
    Pretraining,
    RNNAutoencoderTransformer,
    RNNForecaster,
    RNNNextItemRecommender,
    RNNOutlierDetector,
    SemiSupervisedRNNClassifier,
    SemiSupervisedRNNRegressor,
    SemiSupervisedRNNTagger,
    SemiSupervisedRNNTranscriber,
)

__all__ = [
    "Embedding",
    "Gaps",
    "Optimizer",
    "Pretraining",
    "RNNAutoencoderTransformer",
    "RNNForecaster",
    "RNNNextItemRecommender",
    "RNNOutlierDetector",
    "SemiSupervisedRNNClassifier",
    "SemiSupervisedRNNRegressor",
    "SemiSupervisedRNNTagger",
    "SemiSupervisedRNNTranscriber",
    "__version__",
]
__version__ = "0.1.0"
