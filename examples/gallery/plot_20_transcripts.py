"""
Write down what was said
========================

Five "words" are spoken one after the other by voices of different pitch; nobody says where a word ends. Few recordings
have a transcript. The data are generated.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np
from sklearn.pipeline import make_pipeline

from sklearn_rnn import SemiSupervisedRNNTranscriber
from sklearn_rnn.preprocessing import LogMelSpectrogram, PerSequenceScaler

RATE = 4000  # samples per second
WORDS = {"la": (400, 400), "lu": (900, 400), "li": (400, 900), "ly": (900, 1400), "lo": (1400, 900)}  # hertz
random = np.random.default_rng(0)


def say(words):
    """Return the waveform of words: gliding tones of a voice, in noise."""
    voice, parts = random.uniform(0.8, 1.2), []
    for word in words:
        n = int(RATE * random.uniform(0.12, 0.24))
        pitch = voice * np.linspace(*WORDS[word], n)
        parts.append(np.hanning(n) * np.sin(2 * np.pi * np.cumsum(pitch) / RATE))
    wave = np.concatenate(parts)
    return wave + random.normal(0, 0.4, len(wave))


y = [random.choice(list(WORDS), random.integers(2, 6)).tolist() for _ in range(180)]
waves = [say(words) for words in y]
partly = [words if i < 8 else None for i, words in enumerate(y[:120])]  # None: no transcript
print(partly[0], partly[-1])

# %%
# The pipeline computes log mel energies, subtracts the mean of each channel, and transcribes. The scores are one minus
# the label error rate of new recordings.
for objective in ("supervised", "iterated_pseudo_label"):
    transcriber = SemiSupervisedRNNTranscriber(objective, hidden_size=32, n_kernels=32, max_epochs=12, random_state=0)
    pipeline = make_pipeline(LogMelSpectrogram(RATE, n_mels=16), PerSequenceScaler(with_std=False), transcriber)
    pipeline.fit(waves[:120], partly)
    print(f"{objective}: {pipeline.score(waves[120:], y[120:]):.2f}")

# %%
# The net gives each patch of steps probabilities of the words, and of a blank, which is left out below. Each word is a
# peak.
spectrogram = pipeline[:-1].transform(waves[120:121])[0]
probabilities = np.exp(transcriber.predict_log_proba([spectrogram])[0])
size = transcriber.net_.module_.task.patch_size
figure, (top, bottom) = plt.subplots(2, sharex=True, figsize=(8, 4.5), layout="constrained")
top.imshow(spectrogram.T, aspect="auto", origin="lower", cmap="magma")
top.set(ylabel="mel band", title=f"said: {' '.join(y[120])}; written: {' '.join(pipeline.predict(waves[120:121])[0])}")
for word, curve in zip(transcriber.classes_, probabilities.T, strict=False):
    bottom.plot(size * (np.arange(len(curve)) + 0.5), curve, label=word)
bottom.set(xlabel="frame of 10 ms", ylabel="probability")
figure.legend(loc="outside lower center", ncols=5)
