"""Raw documents as sequences of token ids, for the estimators to read."""

from ._vectorizer import TokenSequenceVectorizer

__all__ = ["TokenSequenceVectorizer"]
