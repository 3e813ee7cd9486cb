"""One fit in several processes, which `torchrun` starts: they share each batch and agree about all else."""

from __future__ import annotations

import atexit
import hashlib
import multiprocessing
import os
import sys
import threading
from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import torch
from skorch.callbacks import Callback, GradientNormClipping, LRScheduler, ParamMapper
from torch import Tensor, nn

from .._warnings import warn
from ..modules import Shares, sharing
from ..sequences import TrainingSet

VARIABLES = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")  # that torchrun and its like set
RAY_THREAD = "TrainingThread"  # beginning of the name, in ray 2.60
IN_ALL = (LRScheduler, ParamMapper, GradientNormClipping)  # callbacks that change training, and write nothing


class Processes:
    """The processes that fit one estimator together; often there is one.

    All read the whole batch and draw the same random numbers. The encoder and the recurrent decoders, which take most
    of the time, are computed by shares of the rows (`modules.by_rows`); what an objective makes of their results is
    computed in each process, for all rows. So all terms, and what objectives remember, are those of one process.

    Parameters
    ----------
    shares : Shares or None
        The place of this process; None if it is alone.
    """

    def __init__(self, shares: Shares | None = None):
        self.shares = shares

    @classmethod
    def found(cls, device: Any = "cpu") -> Processes:
        """Return the processes of `torch.distributed`, which is set up if the usual variables are set.

        In threads and in processes that Python started, such as joblib's, each fit is alone.
        """
        if not _is_main_thread() or multiprocessing.current_process().name != "MainProcess":
            if "ray.train" in sys.modules and _is_set_up() and torch.distributed.get_world_size() > 1:
                warn(
                    "fit runs in a thread that is not Ray Train's, so this process fits alone. Call it in the function "
                    "that Ray Train runs."
                )
            return cls()
        if not _is_set_up() and all(name in os.environ for name in VARIABLES) and int(os.environ["WORLD_SIZE"]) > 1:
            _set_up(str(device))
        if not _is_set_up() or torch.distributed.get_world_size() == 1:
            return cls()
        return cls(Shares(torch.distributed.get_rank(), torch.distributed.get_world_size()))

    @property
    def is_first(self) -> bool:
        """Whether this process calls callbacks, prints, and writes files."""
        return self.shares is None or self.shares.rank == 0

    def sharing(self) -> AbstractContextManager[None]:
        """Return a context in which the processes share the rows of batches; all of them must enter it."""
        return sharing(self.shares)

    def of_first(self, value: Any) -> Any:
        """Return the value of the first process."""
        if self.shares is None:
            return value
        values = [value]
        torch.distributed.broadcast_object_list(values, 0, device=_device())
        return values[0]

    def average(self, weights: Iterable[Tensor]) -> None:
        """Set the gradients of weights to their means over the processes."""
        if self.shares is not None:
            gradients = [weight.grad for weight in weights if weight.grad is not None]
            _together(gradients, torch.distributed.all_reduce)
            torch._foreach_div_(gradients, float(self.shares.size))

    def copy_first(self, module: nn.Module) -> None:
        """Set weights and buffers to those of the first process, whose callbacks may have changed them."""
        if self.shares is not None:
            with torch.no_grad():
                _together([*module.parameters(), *module.buffers()], lambda x: torch.distributed.broadcast(x, 0))

    def kept(self, callbacks: list[tuple[str, Callback]]) -> list[tuple[str, Callback]]:
        """Return the callbacks that this process calls."""
        return callbacks if self.is_first else [pair for pair in callbacks if isinstance(pair[1], IN_ALL)]

    def check_same(self, training: TrainingSet) -> None:
        """Raise an error if the processes have different rows, lengths or targets."""
        if self.shares is None:
            return
        targets = training.targets if isinstance(training.targets, np.ndarray) else np.zeros(0)
        arrays = (training.sequences.lengths, training.labeled, training.unlabeled, targets)
        digest = hashlib.sha256(b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)).hexdigest()
        found: list[Any] = [None] * self.shares.size
        torch.distributed.all_gather_object(found, (len(training), digest))
        if len(set(found)) > 1:
            raise ValueError(
                "All processes of a fit must be given the same X and y, of which each takes its share, and the same "
                f"random_state, but these differ; the processes have {[n for n, _ in found]} rows."
            )


def one_random(random: np.random.RandomState) -> np.random.RandomState:
    """Return a source of random numbers that gives the same numbers in all processes of a fit."""
    processes = Processes.found()
    if processes.shares is None:
        return random
    if random is np.random.mtrand._rand:  # numpy's own, of random_state=None, which each process has seeded otherwise
        return np.random.RandomState(processes.of_first(random.randint(np.iinfo(np.int32).max)))
    random.set_state(processes.of_first(random.get_state()))
    return random


def _is_main_thread() -> bool:
    """Whether this is the main thread, or the one in which Ray Train calls the function that trains."""
    thread = threading.current_thread()
    return thread is threading.main_thread() or ("ray.train" in sys.modules and thread.name.startswith(RAY_THREAD))


def _is_set_up() -> bool:
    return torch.distributed.is_available() and torch.distributed.is_initialized()


def _set_up(device: str) -> None:
    on_gpu = device.startswith("cuda")
    if on_gpu:
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", 0)))
    torch.distributed.init_process_group("nccl" if on_gpu else "gloo")
    atexit.register(lambda: torch.distributed.destroy_process_group() if _is_set_up() else None)


def _device() -> torch.device:
    """Device of the messages between processes."""
    return torch.device("cuda" if torch.distributed.get_backend() == "nccl" else "cpu")


def _together(tensors: list[Tensor], send: Any) -> None:
    """Call `send`, which changes a tensor in place, with all tensors of one dtype in one."""
    for dtype in dict.fromkeys(tensor.dtype for tensor in tensors):
        same = [tensor for tensor in tensors if tensor.dtype == dtype]
        flat = torch.cat([tensor.detach().reshape(-1) for tensor in same])
        send(flat)
        for tensor, part in zip(same, flat.split([tensor.numel() for tensor in same]), strict=True):
            tensor.detach().copy_(part.view_as(tensor))
