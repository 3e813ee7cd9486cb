"""
Classify documents, and see which words decided
===============================================

Paragraphs of two chapters of Python's reference manual; every fourth has a label. ``None`` marks the others.
"""

# %%
from pydoc_data.topics import topics

import numpy as np
from sklearn.pipeline import make_pipeline

from sklearn_rnn import SemiSupervisedRNNClassifier
from sklearn_rnn.plotting import TokenAttributionDisplay
from sklearn_rnn.text import TokenSequenceVectorizer

documents, chapters = [], []
for chapter in ("debugger", "compound"):
    paragraphs = topics[chapter].split("\n\n")[:75]
    documents += paragraphs
    chapters += [chapter] * len(paragraphs)
labels = [chapter if i % 4 == 0 else None for i, chapter in enumerate(chapters)]

pipeline = make_pipeline(
    TokenSequenceVectorizer(max_length=30),
    SemiSupervisedRNNClassifier(missing_label=None, hidden_size=16, max_epochs=6, random_state=0),
).fit(documents, labels)

hidden = [i for i, label in enumerate(labels) if label is None]
predicted = pipeline.predict([documents[i] for i in hidden])
print(f"{np.mean(predicted == np.array(chapters)[hidden]):.2f} of the unlabeled paragraphs are right")

# %%
display = TokenAttributionDisplay.from_estimator(pipeline, [documents[4], documents[80], documents[90]])
