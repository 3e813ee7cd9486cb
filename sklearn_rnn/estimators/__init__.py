"""The public estimators, one per file."""

from .._documented import documented, parameter
from ._autoencoder import RNNAutoencoderTransformer
from ._classifier import SemiSupervisedRNNClassifier
from ._detector import RNNOutlierDetector
from ._forecaster import RNNForecaster
from ._labeled import LabeledEstimator
from ._options import Embedding, Gaps, Optimizer, Pretraining
from ._recommender import RNNNextItemRecommender
from ._regressor import SemiSupervisedRNNRegressor
from ._tagger import SemiSupervisedRNNTagger
from ._transcriber import SemiSupervisedRNNTranscriber

__all__ = [
    "Embedding",
    "Gaps",
    "LabeledEstimator",
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
    "documented",
    "parameter",
]
