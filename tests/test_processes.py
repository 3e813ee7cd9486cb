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
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(WORKER.parents[1]), "OMP_NUM_THREADS": "1"}
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
        environment = ENVIRONMENT | ({name: str(value) for name, value in of_rank.items()} if n > 1 else {})
        command = [sys.executable, str(WORKER), str(folder / f"{kind}{n}_{{rank}}.npz"), kind]
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
def test_three_processes_of_torchrun_end_where_one_ends(tmp_path):
    run_by(["torch.distributed.run", "--standalone", "--nproc-per-node=3"], tmp_path)
    check_saved(tmp_path, 3)


@slow
@pytest.mark.usefixtures("few_steps")
def test_two_processes_of_accelerate_end_where_one_ends(tmp_path):
    pytest.importorskip("accelerate", reason="needs accelerate")
    options = ["--multi_gpu", "--num_processes=2", "--num_machines=1", "--mixed_precision=no", "--dynamo_backend=no"]
    run_by(["accelerate.commands.launch", *options], tmp_path)
    check_saved(tmp_path, 2)


@slow
@pytest.mark.usefixtures("few_steps")
@pytest.mark.filterwarnings("default")  # of ray
def test_two_workers_of_ray_train_end_where_one_ends(tmp_path):
    ray = pytest.importorskip("ray", reason="needs ray")
    from ray.train import RunConfig, ScalingConfig
    from ray.train.torch import TorchTrainer

    folders, path = os.pathsep.join([str(WORKER.parents[1]), str(WORKER.parent)]), str(tmp_path / "{rank}.npz")

    def fit():
        import processes_worker

        processes_worker.main(path, "four")

    variables = {"PYTHONPATH": folders, "OMP_NUM_THREADS": "1"}
    ray.init(num_cpus=2, include_dashboard=False, runtime_env={"env_vars": variables})
    try:
        TorchTrainer(
            fit, scaling_config=ScalingConfig(num_workers=2), run_config=RunConfig(storage_path=str(tmp_path))
        ).fit()
    finally:
        ray.shutdown()
    check_saved(tmp_path, 2)


def run_by(launcher, folder):
    """Run the worker by a launcher (the name of a module, and its options), which sets the rank of each process."""
    command = [sys.executable, "-m", *launcher, str(WORKER), str(folder / "{rank}.npz"), "four"]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stderr


def check_saved(folder, n):
    """Check that n processes saved what this one makes, and did so together: callbacks were called in the first."""
    one = processes_worker.saved(processes_worker.four())
    n_calls = one.pop("n_calls")
    assert n_calls > 0
    for rank in range(n):
        found = np.load(folder / f"{rank}.npz")
        assert found["n_calls"] == (0 if rank else n_calls)
        for name, value in one.items():
            np.testing.assert_allclose(found[name], value, rtol=1e-5, atol=1e-5, err_msg=name)


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
