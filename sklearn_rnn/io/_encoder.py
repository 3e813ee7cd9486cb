"""Files of encoders."""

from __future__ import annotations

from typing import Any

from ..estimators._encoder_file import read_encoder, save_encoder
from ..modules import Encoder

__all__ = ["load_encoder", "save_encoder"]


def load_encoder(path: Any) -> Encoder:
    """Load the encoder of a file that `save_encoder` wrote, as a module of torch.

    To train an estimator from it, pass the path itself: ``pretraining="encoder.safetensors"``.

    Parameters
    ----------
    path : str or path
        The file.

    Returns
    -------
    encoder : Encoder
        On the CPU; its `architecture` has the sizes.

    Raises
    ------
    OSError
        If the file cannot be opened.
    ValueError
        If it is damaged, foreign, or of a newer format.

    Examples
    --------
    >>> import numpy as np, os, tempfile
    >>> from sklearn_rnn import RNNAutoencoderTransformer, SemiSupervisedRNNClassifier, io
    >>> X, y = np.random.default_rng(0).normal(size=(20, 8)), np.arange(20) % 2
    >>> sizes = {"hidden_size": 4, "max_epochs": 1, "random_state": 0}
    >>> path = os.path.join(tempfile.mkdtemp(), "encoder.safetensors")
    >>> io.save_encoder(RNNAutoencoderTransformer(**sizes).fit(X), path)
    >>> io.load_encoder(path).architecture.hidden_size
    4
    >>> clf = SemiSupervisedRNNClassifier(pretraining=path, **sizes).fit(X, y)
    """
    return read_encoder(path).encoder
