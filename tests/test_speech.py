"""Features of speech: compared with librosa, and what goes in."""

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline

from sklearn_rnn import SemiSupervisedRNNTranscriber
from sklearn_rnn.preprocessing import MFCC, LogMelSpectrogram

BANDS = {"n_mels": 20, "low": 50, "high": 4000}
# By librosa 0.11 (htk=True, norm=None, center=False) on the pre-emphasised wave: of frames 0, 11 and 22, each fourth
# band, and the first five coefficients.
LIBROSA = [
    [-6.0474, -1.4527, -0.5670, 0.6798, 1.7911],
    [-6.6538, 3.6838, -0.6621, 0.2321, 1.6308],
    [-6.4225, -3.0092, -0.6251, 0.1498, 1.3186],
]
LIBROSA_MFCC = [
    [-0.5565, -5.5095, 0.9933, -0.7334, -1.4520],
    [-0.9949, -7.1190, -2.6531, -5.0363, -5.6503],
    [-1.3604, -8.3755, -3.9142, -6.5716, -3.4619],
]


def wave(n=2000, seed=0):
    """A rising tone in noise, sampled at 8 kHz."""
    t = np.arange(n) / 8000
    return 0.3 * np.sin(2 * np.pi * (300 + 800 * t) * t) + 0.05 * np.random.default_rng(seed).normal(size=n)


def test_log_mel_energies_and_coefficients_are_those_of_librosa():
    (energies,) = LogMelSpectrogram(8000, **BANDS).fit_transform([wave()])
    (coefficients,) = MFCC(8000, **BANDS).fit_transform([wave()])
    assert energies.shape == (23, 20)
    assert coefficients.shape == (23, 13)
    np.testing.assert_allclose(energies[[0, 11, 22], ::4], LIBROSA, atol=1e-4)
    np.testing.assert_allclose(coefficients[[0, 11, 22], :5], LIBROSA_MFCC, atol=1e-4)


@pytest.mark.parametrize(("rate", "n_mels"), [(8000, 20), (16000, 40), (22050, 64)])
def test_librosa_gives_the_same_where_it_is_installed(rate, n_mels):
    librosa = pytest.importorskip("librosa")
    x = wave(5000)
    width, hop = round(0.025 * rate), round(0.01 * rate)
    n_fft = int(2 ** np.ceil(np.log2(width)))
    lead = (n_fft - width) // 2  # librosa puts the window into the middle of a frame of n_fft samples
    emphasised = np.pad(np.append(x[0], x[1:] - 0.97 * x[:-1]), (lead, n_fft - width - lead))
    energies = librosa.feature.melspectrogram(
        y=emphasised,
        sr=rate,
        n_fft=n_fft,
        win_length=width,
        hop_length=hop,
        center=False,
        n_mels=n_mels,
        fmin=20,
        htk=True,
        norm=None,
    )
    expected = np.log(np.maximum(energies, 1e-8))
    (got,) = LogMelSpectrogram(rate, n_mels=n_mels).fit_transform([x])
    np.testing.assert_allclose(got, expected.T, atol=1e-4)
    (got,) = MFCC(rate, n_mels=n_mels).fit_transform([x])
    np.testing.assert_allclose(got, librosa.feature.mfcc(S=expected, n_mfcc=13).T, atol=1e-4)


def test_waveforms_are_the_same_in_every_form():
    X = [wave(1200, seed) for seed in range(3)]
    expected = LogMelSpectrogram(8000, **BANDS).fit_transform(X)
    assert [x.shape for x in expected] == [(13, 20)] * 3
    for same in (np.array(X), np.array(X)[:, :, None], [x[:, None] for x in X], pd.Series(X)):
        got = LogMelSpectrogram(8000, **BANDS).fit_transform(same)
        np.testing.assert_allclose(np.stack(list(got)), np.stack(expected), rtol=1e-6)


@pytest.mark.parametrize("kind", ["int16", "int32"])
def test_integers_of_audio_files_are_fractions_of_their_range(kind):
    X = [wave(1200, seed) for seed in range(2)]
    recorded = [np.round(x * -float(np.iinfo(kind).min)).astype(kind) for x in X]
    expected = LogMelSpectrogram(8000, **BANDS).fit_transform([-r / float(np.iinfo(kind).min) for r in recorded])
    for same in (recorded, np.array(recorded)):
        got = LogMelSpectrogram(8000, **BANDS).fit_transform(same)
        np.testing.assert_allclose(got, expected, rtol=1e-6)


def test_a_waveform_keeps_its_features_beside_others_and_a_short_one_has_one_frame():
    X = [wave(1200), wave(50), wave(200), wave(2000)]
    features = MFCC(8000, **BANDS).fit(X).transform(X)
    assert [len(x) for x in features] == [13, 1, 1, 23]
    for x, together in zip(X, features, strict=True):
        np.testing.assert_array_equal(MFCC(8000, **BANDS).fit([x]).transform([x])[0], together)


def test_silence_has_the_logarithm_of_the_floor():
    (energies,) = LogMelSpectrogram(8000, **BANDS, floor=1e-4).fit_transform([np.zeros(400)])
    np.testing.assert_allclose(energies, np.log(1e-4), rtol=1e-6)


@pytest.mark.parametrize(
    ("transformer", "X", "message"),
    [
        (LogMelSpectrogram(8000, high=5000), [wave()], "between 0 and half of sample_rate=8000, but low=20 and high=5"),
        (LogMelSpectrogram(8000, low=900, high=800), [wave()], "low=900 and high=800"),
        (LogMelSpectrogram(8000, n_mels=200), [wave()], "n_mels=200 bands are too many: no frequency .* band from"),
        (LogMelSpectrogram(8000), [np.zeros((400, 2))], "X has 2 features per step, but a waveform has one"),
        (MFCC(8000, n_coefficients=21, **BANDS), [wave()], "n_coefficients=21 must be at most n_mels=20"),
        (LogMelSpectrogram(8000), [np.full(400, np.nan)], "NaN"),
    ],
)
def test_what_gives_no_features_is_refused(transformer, X, message):
    with pytest.raises(ValueError, match=message):
        transformer.fit(X)


def test_a_transcriber_reads_waveforms_through_a_pipeline():
    X, y = [wave(n) for n in (1600, 2000, 1800)], ["ab", "ba", None]
    net = SemiSupervisedRNNTranscriber(hidden_size=4, n_kernels=4, max_epochs=1, random_state=0)
    pipeline = make_pipeline(LogMelSpectrogram(8000, n_mels=20), net).fit(X, y)
    assert len(pipeline.predict(X)) == 3
