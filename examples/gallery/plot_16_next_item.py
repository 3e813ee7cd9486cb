"""
Recommend the next film
=======================

Users watch films of the genres that they like; popular films more often, and sequels in their order. The data are
generated. Nothing is labeled: each film is predicted from the films before it.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np
from sklearn.decomposition import PCA

from sklearn_rnn import Embedding, RNNNextItemRecommender
from sklearn_rnn.model_selection import leave_last_out, make_ranking_scorer

N_FILMS, N_GENRES, SERIES = 240, 6, 4  # film i has the genre i % 6; films i, i + 6, i + 12, i + 18 may be a series
random = np.random.default_rng(0)
popularity = random.permutation(1 / np.arange(5, N_FILMS + 5))
genre = np.arange(N_FILMS) % N_GENRES


def watch(n_films):
    """Draw what a user watches: mostly films of two genres, and after a film often its sequel."""
    liked = random.choice(N_GENRES, 2, replace=False)
    weights = popularity * np.where(np.isin(genre, liked), 1, 0.05)
    seen = []
    while len(seen) < n_films:
        sequel = seen[-1] + N_GENRES if seen else N_FILMS
        has_sequel = sequel < N_FILMS and (sequel // N_GENRES) % SERIES
        if has_sequel and sequel not in seen and random.uniform() < 0.5:
            seen.append(sequel)
        else:
            left = np.where(np.isin(np.arange(N_FILMS), seen), 0, weights)
            seen.append(int(random.choice(N_FILMS, p=left / left.sum())))
    return seen


X = [watch(random.integers(8, 25)) for _ in range(500)]
past, last = leave_last_out(X)  # the last film of each user is to be found
print(X[0])

# %%
# `fit` needs no y. An item may be a number or a string.
recommender = RNNNextItemRecommender(hidden_size=32, embedding=Embedding(32), max_epochs=12, lr=0.01, random_state=0)
recommender.fit(past)
print(recommender.recommend(past[:2], n_items=5))

# %%
# Two floors to compare with: the same popular films for all, and what most often followed the last film.
counts = np.bincount(np.concatenate(past), minlength=N_FILMS)
follow = np.zeros((N_FILMS, N_FILMS))
for x in past:
    np.add.at(follow, (x[:-1], x[1:]), 1)


def hit_rate(scores, k=10):
    """Fraction of users whose last film is among the k best that they had not seen."""
    for row, seen in zip(scores, past, strict=True):
        row[seen] = -np.inf
    best = np.argsort(-scores, axis=1)[:, :k]
    return np.mean([film in row for film, row in zip(last, best, strict=True)])


rates = {
    "popularity": hit_rate(np.tile(counts.astype(float), (len(past), 1))),
    "Markov chain": hit_rate(np.stack([follow[x[-1]] + 0.01 * counts for x in past])),
    "recommender": make_ranking_scorer("hit_rate", k=10)(recommender, past, last),
}
print({name: round(float(rate), 2) for name, rate in rates.items()})

# %%
# The vectors of the films have learned the genres, which `fit` did not get.
places = PCA(2).fit_transform(recommender.item_embeddings_)
kinds = genre[recommender.items_]
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
left.barh(list(rates), list(rates.values()), color=["#bbbbbb", "#bbbbbb", "#1f77b4"])
left.set(xlabel="users whose last film is among ten")
right.scatter(*places.T, c=kinds, cmap="tab10", s=12 + 2000 * popularity[recommender.items_] / popularity.sum())
right.set(title="films, coloured by genre", xticks=[], yticks=[])
