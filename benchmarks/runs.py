"""What the benchmarks share: finished runs, kept so that none is made twice, memory, and how figures are shown."""

import csv
from pathlib import Path

import numpy as np

DOCS = Path(__file__).resolve().parent.parent / "docs"


class Runs:
    """The lines of NAME.csv in a folder: the `key` of a run, and what was `measured`."""

    def __init__(self, name, key, measured, folder=DOCS):
        self.path, self.fields, self.n_keys = folder / f"{name}.csv", (*key, *measured), len(key)

    def read(self):
        """Return the measures (an array of floats) of each run, by its key (a tuple of strings)."""
        if not self.path.exists():
            self.path.write_text(",".join(self.fields) + "\n")
        with self.path.open() as file:
            rows = list(csv.reader(file))[1:]
        return {tuple(row[: self.n_keys]): np.array(row[self.n_keys :], dtype=float) for row in rows}

    def first(self):
        """Return the first measure of each run, by its key."""
        return {key: measures[0] for key, measures in self.read().items()}

    def keep(self, *cells):
        """Add a run, and print it."""
        with self.path.open("a") as file:
            csv.writer(file, lineterminator="\n").writerow(cells)
        print(*cells, flush=True)


def peak_memory():
    """Largest memory of this process so far, in MB; `ru_maxrss` of a child would start at the size of its parent."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def forget_peak():
    """Let `peak_memory` start at the memory that this process has now."""
    Path("/proc/self/clear_refs").write_text("5")


def shown(values, sign="", digits=1):
    """Mean and, of several, standard deviation over seeds."""
    values = np.array(list(values))
    if len(values) == 0:
        return ""
    mean = f"{values.mean():{sign}.{digits}f}"
    return mean + (f" ± {values.std(ddof=1):.{digits}f}" if len(values) > 1 else "")
