"""One fit in several processes ends as one in a single process does."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import processes_worker
import pytest

import sklearn_rnn.sequences._batches
from sklearn_rnn.modules import Shares

WORKER = Path(processes_worker.__file__)
slow = pytest.mark.slow


@pytest.fixture(scope="module")
def started():
    """Return a function that starts n processes of one fit; those that still run in the end are stopped."""
    running = []
    yield lambda *args: running.append(start(*args)) or running[-1]
    for process in [process for group in running for process in group]:
        process.kill()
        process.communicate()


def start(folder, kind, n):
    """Start n processes of one fit."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    running = []
    for rank in range(n):
        of_rank = {"RANK": rank, "WORLD_SIZE": n, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
        environment = {**os.environ, "PYTHONPATH": str(WORKER.parents[1]), "OMP_NUM_THREADS": "1"}
        environment |= {name: str(value) for name, value in of_rank.items()} if n > 1 else {}
        command = [sys.executable, str(WORKER), str(folder / f"{kind}{n}_{rank}.npz"), kind]
        running.append(
            subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        )
    return running


def test_shares_differ_by_one_row_at_most():
    assert Shares(0, 3).of(7) == [0, 2, 4, 7]
    assert Shares(0, 2).of(2) == [0, 1, 2]


@pytest.fixture(scope="module")
def few_steps(_short_epochs):
    """Give epochs here as few steps as those of the other processes have."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sklearn_rnn.sequences._batches, "MIN_STEPS_PER_EPOCH", processes_worker.STEPS)
        yield


@slow
@pytest.mark.usefixtures("few_steps")
def test_three_processes_end_where_one_ends(tmp_path, started):
    running, one = started(tmp_path, "four", 3), processes_worker.saved(processes_worker.four())
    for rank, process in enumerate(running):
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors
        three = np.load(tmp_path / f"four3_{rank}.npz")
        for name, value in one.items():
            np.testing.assert_allclose(three[name], value, rtol=1e-5, atol=1e-5, err_msg=name)


@pytest.fixture(scope="module")
def fits(tmp_path_factory, started, few_steps):
    """Return what this process made, and what each of two saved."""
    folder = tmp_path_factory.mktemp("processes")
    running, one = started(folder, "all", 2), processes_worker.saved(processes_worker.results())
    for process in running:
        _, errors = process.communicate(timeout=500)
        assert process.returncode == 0, errors
    return one, [dict(np.load(folder / f"all2_{rank}.npz")) for rank in range(2)]


@slow
def test_two_processes_end_where_one_ends(fits):
    one, processes = fits
    for process in processes:
        for name, value in one.items():
            if name != "n_calls" and not name.startswith("unseeded"):
                np.testing.assert_allclose(process[name], value, rtol=1e-5, atol=1e-5, err_msg=name)


@slow
def test_both_processes_have_the_same_weights_also_without_a_seed(fits):
    first, other = fits[1]
    for name, value in first.items():
        if name != "n_calls":
            np.testing.assert_allclose(other[name], value, rtol=1e-6, atol=1e-6, err_msg=name)


@slow
def test_callbacks_are_called_in_the_first_process_alone(fits):
    one, processes = fits
    assert one["n_calls"] > 0
    assert [int(saved["n_calls"]) for saved in processes] == [int(one["n_calls"]), 0]


@pytest.fixture(scope="module")
def failed(tmp_path_factory, started):
    """Return the errors that two processes print and how they end."""
    running = started(tmp_path_factory.mktemp("failing"), "failing", 2)
    errors = [process.communicate(timeout=300)[1] for process in running]
    return errors, [process.returncode for process in running]


@slow
def test_processes_with_different_labels_are_an_error(failed):
    errors, _ = failed
    assert all("must be given the same X and y" in each for each in errors)


@slow
def test_a_process_that_dies_ends_all_with_an_error(failed):
    errors, statuses = failed
    assert statuses[1] == 3
    assert statuses[0] != 0
    assert "RuntimeError" in errors[0]
