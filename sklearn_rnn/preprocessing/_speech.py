"""Features of speech: log mel spectrograms and mel-frequency cepstral coefficients of waveforms."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct, rfft
from scipy.signal import get_window

from .._sklearn import COUNT, NOT_NEGATIVE, POSITIVE, SHARE
from ..sequences import Sequences, first_steps, listed
from ._base import SequenceTransformer, as_sequences, steps_of

SCALES = {"int16": 1 << 15, "int32": 1 << 31}  # of integers in audio files
BLOCK = 1 << 12  # frames that are transformed together


class LogMelSpectrogram(SequenceTransformer):
    """Logarithms of the energies of waveforms in mel bands, for short frames.

    The waveform is pre-emphasised (each sample less a fraction of the one before), cut into overlapping frames and
    multiplied by a Hann window. The energies of its Fourier transform are added up in triangular filters, which are
    equally wide on the mel scale, ``2595 log10(1 + f / 700)``. Filters have a height of 1.

    Parameters
    ----------
    sample_rate : float, default=16000
        Number of samples per second of the waveforms.
    n_mels : int, default=40
        Number of mel bands.
    window : float, default=0.025
        Length of a frame, in seconds.
    hop : float, default=0.01
        Time from the start of a frame to the start of the next, in seconds.
    low : float, default=20
        Lowest frequency of the bands, in hertz.
    high : float, default=None
        Highest frequency of the bands, in hertz. None is half of `sample_rate`.
    pre_emphasis : float, default=0.97
        Fraction of the sample before that is subtracted, which raises high frequencies; 0 for none.
    floor : float, default=1e-8
        Lower energies are replaced by this, so that silence has a logarithm.

    Attributes
    ----------
    n_features_in_ : int
        1, or the number of samples for 2-D input.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, if X had any.

    Raises
    ------
    ValueError
        If X is invalid or has several channels, a frequency is above half of `sample_rate`, or a band is so narrow that
        no frequency of the Fourier transform falls into it.

    References
    ----------
    Davis and Mermelstein (1980), "Comparison of parametric representations for monosyllabic word recognition in
    continuously spoken sentences", IEEE Transactions on Acoustics, Speech, and Signal Processing 28.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn.preprocessing import LogMelSpectrogram
    >>> tone = np.sin(2 * np.pi * 1000 * np.arange(8000) / 8000)  # one second
    >>> (spectrogram,) = LogMelSpectrogram(8000, n_mels=20).fit_transform([tone])
    >>> spectrogram.shape
    (98, 20)
    >>> spectrogram.mean(0).argmax().item()  # the band around 1,000 Hz
    9
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "sample_rate": POSITIVE,
        "n_mels": COUNT,
        "window": POSITIVE,
        "hop": POSITIVE,
        "low": NOT_NEGATIVE,
        "high": [*POSITIVE, None],
        "pre_emphasis": SHARE,
        "floor": POSITIVE,
    }

    def __init__(
        self,
        sample_rate: float = 16000,
        *,
        n_mels: int = 40,
        window: float = 0.025,
        hop: float = 0.01,
        low: float = 20,
        high: float | None = None,
        pre_emphasis: float = 0.97,
        floor: float = 1e-8,
    ):
        self.sample_rate = sample_rate
        self.n_mels = n_mels
        self.window = window
        self.hop = hop
        self.low = low
        self.high = high
        self.pre_emphasis = pre_emphasis
        self.floor = floor

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = False
        return tags

    def transform(self, X: Any) -> Any:
        """Compute the features of waveforms.

        Parameters
        ----------
        X : list of (T_i,) arrays, or array-like of shape (n, T) or (n, T, 1)
            Waveforms, as in `fit`: floats, mostly between -1 and 1. Arrays of the types int16 and int32, as audio files
            hold them, are divided by 2**15 and 2**31.

        Returns
        -------
        X : list of (P_i, K) arrays, or ndarray of shape (n, P, K)
            Features of the P_i frames that lie in a waveform as a whole. A waveform that is shorter than a frame is
            filled up with zeros. If X is a pandas Series, a Series of arrays.
        """
        sequences = self._read(X, reset=False)
        waves = np.split(steps_of(sequences)[:, 0], first_steps(sequences.lengths)[1:])
        filters = mel_filters(self._frequencies(), self.n_mels, *self._limits())
        features = [self._features(self._log_energies(wave, filters)) for wave in waves]
        return as_sequences(np.concatenate(features), np.array([len(x) for x in features]), sequences)

    def _read(self, X: Any, *, reset: bool, doubt: bool = True) -> Sequences:
        return super()._read(scaled(X), reset=reset, doubt=False)  # whole numbers are no ids

    def _learn(self, sequences: Sequences) -> None:
        if sequences.n_features > 1:
            raise ValueError(
                f"X has {sequences.n_features} features per step, but a waveform has one. Pass one channel, or the "
                "mean of the channels: [x.mean(axis=1) for x in X]."
            )
        low, high = self._limits()
        if not low < high <= self.sample_rate / 2:
            raise ValueError(
                f"The bands must lie between 0 and half of sample_rate={self.sample_rate}, but low={low:g} and "
                f"high={high:g}."
            )
        mel_filters(self._frequencies(), self.n_mels, low, high)

    def _limits(self) -> tuple[float, float]:
        return float(self.low), float(self.sample_rate) / 2 if self.high is None else float(self.high)

    def _n_samples(self, seconds: float) -> int:
        return max(1, round(float(seconds) * float(self.sample_rate)))

    def _n_fft(self) -> int:
        return int(2 ** np.ceil(np.log2(max(2, self._n_samples(self.window)))))

    def _frequencies(self) -> NDArray[np.float64]:
        """Frequencies of the Fourier transform, in hertz."""
        return np.arange(self._n_fft() // 2 + 1, dtype=np.float64) * (float(self.sample_rate) / self._n_fft())

    def _log_energies(self, wave: NDArray, filters: NDArray[np.float64]) -> NDArray[np.float64]:
        """Logarithms of the energies (P, n_mels) of a waveform (T,)."""
        width, hop, n_fft = self._n_samples(self.window), self._n_samples(self.hop), self._n_fft()
        wave = wave.astype(np.float64)
        wave[1:] -= float(self.pre_emphasis) * wave[:-1]
        if len(wave) < width:
            wave = np.pad(wave, (0, width - len(wave)))
        frames = np.lib.stride_tricks.sliding_window_view(wave, width)[::hop]
        window = get_window("hann", width)
        energies = np.empty((len(frames), self.n_mels), dtype=np.float64)
        for first in range(0, len(frames), BLOCK):
            part = slice(first, first + BLOCK)
            energies[part] = np.abs(rfft(frames[part] * window, n_fft)) ** 2 @ filters
        return np.log(np.maximum(energies, self.floor))

    def _features(self, log_energies: NDArray[np.float64]) -> NDArray[np.float32]:
        return log_energies.astype(np.float32)


class MFCC(LogMelSpectrogram):
    """Mel-frequency cepstral coefficients: the cosine transform of log mel energies.

    Parameters
    ----------
    sample_rate : float, default=16000
        Number of samples per second of the waveforms.
    n_coefficients : int, default=13
        Number of coefficients, at most `n_mels`.
    n_mels, window, hop, low, high, pre_emphasis, floor
        As in `LogMelSpectrogram`.

    Attributes
    ----------
    n_features_in_ : int
        1, or the number of samples for 2-D input.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, if X had any.

    Raises
    ------
    ValueError
        As in `LogMelSpectrogram`; or if `n_coefficients` is larger than `n_mels`.

    References
    ----------
    Davis and Mermelstein (1980), "Comparison of parametric representations for monosyllabic word recognition in
    continuously spoken sentences", IEEE Transactions on Acoustics, Speech, and Signal Processing 28.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn.preprocessing import MFCC
    >>> noise = np.random.default_rng(0).normal(0, 0.1, size=(2, 8000))
    >>> MFCC(8000).fit_transform(noise).shape
    (2, 98, 13)
    """

    _parameter_constraints: dict[str, list[Any]] = {
        **LogMelSpectrogram._parameter_constraints,
        "n_coefficients": COUNT,
    }

    def __init__(
        self,
        sample_rate: float = 16000,
        *,
        n_coefficients: int = 13,
        n_mels: int = 40,
        window: float = 0.025,
        hop: float = 0.01,
        low: float = 20,
        high: float | None = None,
        pre_emphasis: float = 0.97,
        floor: float = 1e-8,
    ):
        super().__init__(
            sample_rate,
            n_mels=n_mels,
            window=window,
            hop=hop,
            low=low,
            high=high,
            pre_emphasis=pre_emphasis,
            floor=floor,
        )
        self.n_coefficients = n_coefficients

    def _learn(self, sequences: Sequences) -> None:
        super()._learn(sequences)
        if self.n_coefficients > self.n_mels:
            raise ValueError(f"n_coefficients={self.n_coefficients} must be at most n_mels={self.n_mels}.")

    def _features(self, log_energies: NDArray[np.float64]) -> NDArray[np.float32]:
        return dct(log_energies, norm="ortho")[:, : self.n_coefficients].astype(np.float32)


def mel_filters(frequencies: NDArray, n_mels: int, low: float, high: float) -> NDArray[np.float64]:
    """Triangular filters (n_frequencies, n_mels) that are equally wide on the mel scale.

    Raises
    ------
    ValueError
        If none of the frequencies falls into a filter.
    """
    mels = np.linspace(2595 * np.log10(1 + low / 700), 2595 * np.log10(1 + high / 700), n_mels + 2)
    edges = 700 * (10 ** (mels / 2595) - 1)
    rising = (frequencies[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - frequencies[:, None]) / (edges[2:] - edges[1:-1])
    filters = np.maximum(0, np.minimum(rising, falling))
    if (empty := filters.max(0) == 0).any():
        k = int(np.argmax(empty))
        raise ValueError(
            f"n_mels={n_mels} bands are too many: no frequency of the Fourier transform falls into the band from "
            f"{edges[k]:.0f} to {edges[k + 2]:.0f} Hz. Lower n_mels, or raise window."
        )
    return filters


def scaled(X: Any) -> Any:
    """Divide 16-bit and 32-bit integers, as audio files hold them, so that they lie between -1 and 1."""
    if _is_audio(X):
        return X / SCALES[X.dtype.name]
    rows = listed(X)
    if rows is None or not any(map(_is_audio, rows)):
        return X
    rows = [x / SCALES[x.dtype.name] if _is_audio(x) else x for x in rows]
    return type(X)(rows, index=X.index) if hasattr(X, "iloc") else rows


def _is_audio(x: Any) -> bool:
    """Whether x is an array of the integers of audio files."""
    return isinstance(x, np.ndarray) and x.dtype.name in SCALES
