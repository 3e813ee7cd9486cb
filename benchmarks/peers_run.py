"""One run of peers.py: fits one model, and prints seconds of an epoch, a fit and a prediction, and the accuracy."""

import os
import sys
import time
import warnings

import numpy as np

N_EPOCHS, BATCH, RATE = 10, 64, 0.004
CORE = max(os.sched_getaffinity(0))


def pulses(n, n_steps, n_features, seed):
    """Noise with a pulse in each of two columns; the class says in which column it comes first."""
    random = np.random.default_rng(seed)
    X = random.normal(0, 0.5, (n, n_steps, max(2, n_features))).astype(np.float32)
    width = max(2, n_steps // 15)
    places = random.permuted(np.tile(np.arange(0, n_steps - width, width), (n, 1)), axis=1)[:, :2]
    for column in range(2):
        for i, start in enumerate(places[:, column]):
            X[i, start : start + width, column] += 3
    return X[..., :n_features], (places[:, 0] < places[:, 1]).astype(np.int64)


def measured(fit, predict, X, y, tested=None):
    """Return seconds of an epoch, a fit and a prediction, and the accuracy; `fit` takes a number of epochs."""
    started = time.perf_counter()
    model = fit(N_EPOCHS)
    first = time.perf_counter() - started
    epoch = epoch_of(fit, 2, 2 + N_EPOCHS // 2)
    X_test, y_test = tested
    predict(model, X_test)
    started = time.perf_counter()
    answers = predict(model, X_test)
    return epoch, first, time.perf_counter() - started, np.mean(answers == y_test)


def epoch_of(fit, few, more):
    """Return seconds of an epoch: what more epochs add to few. The shortest of three fits has least other noise."""
    times = {few: [], more: []}
    for n in [few, more] * 3:
        started = time.perf_counter()
        fit(n)
        times[n].append(time.perf_counter() - started)
    return (min(times[more]) - min(times[few])) / (more - few)


def torch_net(cell, hidden_size, n_features):
    import torch
    from torch import nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.recurrence = {"lstm": nn.LSTM, "gru": nn.GRU}[cell](n_features, hidden_size, batch_first=True)
            self.head = nn.Linear(hidden_size, 2)

        def forward(self, x):
            return self.head(self.recurrence(x)[0][:, -1])

    torch.manual_seed(0)
    return Net


def loop(cell, hidden_size, X, y):
    """Train in the loop of torch's tutorials."""
    import torch
    from torch.nn.functional import cross_entropy
    from torch.utils.data import DataLoader, TensorDataset

    def fit(n_epochs):
        net = torch_net(cell, hidden_size, X.shape[2])()
        optimizer = torch.optim.Adam(net.parameters(), lr=RATE)
        loader = DataLoader(TensorDataset(torch.from_numpy(X), torch.from_numpy(y)), batch_size=BATCH, shuffle=True)
        for _ in range(n_epochs):
            for values, targets in loader:
                optimizer.zero_grad()
                loss = cross_entropy(net(values), targets)
                loss.backward()
                optimizer.step()
                loss.item()
        return net

    return fit, of_net


def tuned(cell, hidden_size, X, y):
    """Train as fast as plain torch can: batches by index, fused Adam, denormals flushed."""
    import torch
    from torch.nn.functional import cross_entropy

    torch.set_flush_denormal(True)
    values, targets = torch.from_numpy(X), torch.from_numpy(y)

    def fit(n_epochs):
        net = torch_net(cell, hidden_size, X.shape[2])()
        optimizer = torch.optim.Adam(net.parameters(), lr=RATE, fused=True)
        for _ in range(n_epochs):
            for rows in torch.randperm(len(values)).split(BATCH):
                optimizer.zero_grad()
                loss = cross_entropy(net(values.index_select(0, rows)), targets.index_select(0, rows))
                loss.backward()
                optimizer.step()
                loss.item()
        return net

    return fit, of_net


def of_net(net, X):
    import torch

    with torch.no_grad():
        return np.concatenate([net(torch.from_numpy(part)).argmax(1).numpy() for part in np.array_split(X, 4)])


def skorch(cell, hidden_size, X, y):
    import torch
    from skorch import NeuralNetClassifier

    net = torch_net(cell, hidden_size, X.shape[2])

    def fit(n_epochs):
        made = NeuralNetClassifier(
            net,
            criterion=torch.nn.CrossEntropyLoss,
            optimizer=torch.optim.Adam,
            max_epochs=n_epochs,
            lr=RATE,
            batch_size=BATCH,
            iterator_train__shuffle=True,
            train_split=None,
            verbose=0,
        )
        return made.fit(X, y)

    return fit, lambda made, X: made.predict(X)


def keras(cell, hidden_size, X, y):
    import keras as k

    def fit(n_epochs):
        k.utils.set_random_seed(0)
        layer = {"lstm": k.layers.LSTM, "gru": k.layers.GRU}[cell](hidden_size)
        made = k.Sequential([k.layers.Input(X.shape[1:]), layer, k.layers.Dense(2)])
        loss = k.losses.SparseCategoricalCrossentropy(from_logits=True)
        made.compile(optimizer=k.optimizers.Adam(RATE), loss=loss)
        made.fit(X, y, batch_size=BATCH, epochs=n_epochs, verbose=0)
        return made

    return fit, lambda made, X: made.predict(X, batch_size=256, verbose=0).argmax(1)


def aeon(cell, hidden_size, X, y):
    import keras as k
    from aeon.regression.deep_learning import RecurrentRegressor

    def fit(n_epochs):
        made = RecurrentRegressor(
            rnn_type=cell,
            n_units=hidden_size,
            n_layers=1,
            n_epochs=n_epochs,
            batch_size=BATCH,
            optimizer=k.optimizers.Adam(RATE),
            random_state=0,
        )
        return made.fit(X.transpose(0, 2, 1), 0.1 + 0.8 * y)  # whole numbers are refused

    return fit, lambda made, X: (made.predict(X.transpose(0, 2, 1)) > 0.5).astype(int)


def sklearn_rnn(cell, hidden_size, X, y, objective="supervised"):
    from sklearn_rnn import SemiSupervisedRNNClassifier

    def fit(n_epochs):
        made = SemiSupervisedRNNClassifier(
            objective,
            cell=cell,
            hidden_size=hidden_size,
            bidirectional=False,
            dropout=0.0,
            pooling="last",
            patch_size=1,
            n_kernels=0,
            augmentation=None,
            batch_size=BATCH,
            lr=2 * RATE,
            max_epochs=n_epochs,
            random_state=0,
        )
        return made.fit(X, y)

    return fit, lambda made, X: made.predict(X)


def few_labels(task, peer, seed):
    """Return the measures of a whole fit on few labels."""
    from protocol import make_task

    name, labels = task.split(":")
    cut = make_task(name, float(labels) if "." in labels else int(labels), seed)
    X, y, X_test = (np.asarray(part) for part in (cut.X_train, cut.y_train, cut.X_test))
    if peer == "minirocket":
        from aeon.transformations.collection.convolution_based import MiniRocket
        from sklearn.linear_model import RidgeClassifierCV
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        X, X_test, y = (X[y != -1].reshape(-1, 1, X.shape[1]), X_test.reshape(len(X_test), 1, -1), y[y != -1])
        scaler, ridge = StandardScaler(with_mean=False), RidgeClassifierCV(np.logspace(-3, 3, 10))
        model = make_pipeline(MiniRocket(random_state=seed), scaler, ridge)
        make_pipeline(MiniRocket(random_state=seed), RidgeClassifierCV()).fit(X, y)  # compiles
    else:
        from sklearn_rnn import SemiSupervisedRNNClassifier

        SemiSupervisedRNNClassifier(peer, max_epochs=1).fit(X, y)
        model = SemiSupervisedRNNClassifier(peer, random_state=seed)
    started = time.perf_counter()
    model.fit(X, y)
    fitted = time.perf_counter()
    answers = model.predict(X_test)
    return 0, fitted - started, time.perf_counter() - fitted, np.mean(answers == np.asarray(cut.y_test))


def main(part, task, peer, seed):
    os.sched_setaffinity(0, {CORE})
    warnings.simplefilter("ignore")
    if peer in ("loop", "tuned", "skorch"):
        import torch

        torch.set_num_threads(1)
    if part == "few labels":
        return few_labels(task, peer, int(seed))
    if part == "growth":
        n, n_steps, n_features, *n_labels = map(int, task.split(", ")[1].split())
        X, y = pulses(n, n_steps, n_features, seed=0)
        y[slice(*n_labels, None) if n_labels else slice(0)] = -1
        fit, _ = sklearn_rnn("lstm", 64, X, y, "fixmatch") if n_labels else globals()[peer]("lstm", 64, X, y)
        fit(1)
        return epoch_of(fit, 1, 3), 0, 0, 0
    cell, hidden_size, n_steps = task.split(", ")
    n_steps = int(n_steps[2:])
    X, y = pulses(2000, n_steps, 8, seed=int(seed))
    fit, predict = globals()[peer](cell, int(hidden_size[2:]), X, y)
    return measured(fit, predict, X, y, pulses(2000, n_steps, 8, seed=100 + int(seed)))


if __name__ == "__main__":
    print(*(f"{value:.5f}" for value in main(*sys.argv[1:5])))
