"""How much code a reader crosses, for this checkout or another one.

    python benchmarks/structure.py            # this checkout
    python benchmarks/structure.py CHECKOUT   # another one, such as a git worktree of an earlier commit

Prints a column of a table: files and functions of the package that run from `fit` to the first loss and in
`predict_proba`, the longest class, parameters of each estimator, and the longest run of lines that stands in two files
of estimators. Results are kept in benchmarks/structure.md.
"""

import ast
import inspect
import os
import sys
from itertools import pairwise
from pathlib import Path

CHECKOUT = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent).resolve()
PACKAGE = CHECKOUT / "sklearn_rnn"
ESTIMATORS = (
    "SemiSupervisedRNNClassifier",
    "SemiSupervisedRNNRegressor",
    "RNNAutoencoderTransformer",
    "RNNOutlierDetector",
)


class FirstLossError(Exception):
    """Ends a fit at its first loss."""


def crossed(call, until=None):
    """Return the code objects of the package that run, in order of each call, up to the function called `until`."""
    calls = []

    def profile(frame, event, arg):
        if event == "call" and frame.f_code.co_filename.startswith(str(PACKAGE)):
            calls.append(frame.f_code)
            if frame.f_code.co_name == until:
                raise FirstLossError

    sys.setprofile(profile)
    try:
        call()
    except FirstLossError:
        pass
    finally:
        sys.setprofile(None)
    return calls


def counted(calls):
    """Files, functions and changes of file of calls."""
    files = [code.co_filename for code in calls]
    changes = sum(one != other for one, other in pairwise(files))
    return len(set(files)), len({(code.co_filename, code.co_qualname) for code in calls}), changes


def longest_class():
    """Lines and name of the longest class, with its docstring."""
    sizes = []
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                sizes.append((node.end_lineno - node.lineno + 1, node.name))
    return max(sizes)


def code_lines(path):
    """Lines of a file without docstrings, blank lines and imports."""
    source = path.read_text()
    hidden = set()
    for node in ast.walk(ast.parse(source)):
        text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        if text or isinstance(node, ast.Import | ast.ImportFrom):
            hidden.update(range(node.lineno, node.end_lineno + 1))
    return [line.strip() for i, line in enumerate(source.splitlines(), 1) if i not in hidden and line.strip()]


def longest_repeat(paths):
    """Number of lines of the longest run that stands in two of the files, and the two."""
    best = (0, "", "")
    contents = [(path.name, code_lines(path)) for path in paths]
    for i, (name, one) in enumerate(contents):
        for other_name, other in contents[i + 1 :]:
            lengths = [0] * (len(other) + 1)
            for line in one:
                lengths = [0, *(lengths[j] + 1 if line == other[j] else 0 for j in range(len(other)))]
                best = max(best, (max(lengths), name, other_name))
    return best


def repeated(paths, least=10):
    """Lines that stand in two files, in runs of more than `least`."""
    total, contents = 0, [code_lines(path) for path in paths]
    for i, one in enumerate(contents):
        for other in contents[i + 1 :]:
            runs = {tuple(other[j : j + least + 1]) for j in range(len(other) - least)}
            inside = {
                k
                for j in range(len(one) - least)
                if tuple(one[j : j + least + 1]) in runs
                for k in range(j, j + least + 1)
            }
            total += len(inside)
    return total


def main():
    """Print the figures."""
    os.chdir(CHECKOUT)
    sys.path.insert(0, str(CHECKOUT))
    import numpy as np

    import sklearn_rnn

    X, y = np.random.default_rng(0).normal(size=(30, 12)), np.where(np.arange(30) < 10, np.arange(30) % 2, -1)
    params = {"hidden_size": 4, "n_kernels": 4, "max_epochs": 1, "random_state": 0}
    clf = sklearn_rnn.SemiSupervisedRNNClassifier(**params).fit(X, y)
    to_loss = counted(
        crossed(lambda: sklearn_rnn.SemiSupervisedRNNClassifier(**params).fit(X, y), until="supervised_loss")
    )
    predicting = counted(crossed(lambda: clf.predict_proba(X)))
    print("from fit to the first loss: files, functions, changes of file:", *to_loss)
    print("predict_proba: files, functions, changes of file:", *predicting)
    print("longest class, lines:", *longest_class())
    for name in ESTIMATORS:
        if hasattr(sklearn_rnn, name):
            print(f"parameters of {name}:", len(inspect.signature(getattr(sklearn_rnn, name)).parameters))
    rooms = [PACKAGE / "estimators", PACKAGE]
    files = sorted(next(room for room in rooms if room.exists()).glob("_*.py"))
    objectives = sorted((PACKAGE / "objectives").glob("_*.py"))
    print("longest run of lines in two files of estimators:", *longest_repeat(files))
    print("lines in runs above 10 that stand in two files of estimators:", repeated(files))
    print("longest run of lines in two objectives:", *longest_repeat(objectives))


if __name__ == "__main__":
    main()
