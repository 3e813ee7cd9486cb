"""Threads, types and other settings of torch while an estimator computes; they are restored afterwards."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch

_lock = threading.Lock()
_running = 0
_default_threads = 1
_default_dtype = torch.float32
_forked = False


@contextmanager
def computing(wide: bool) -> Iterator[None]:
    """Set torch up to compute: flush denormals, and use all threads if the net is `wide`, else one.

    Gradients are on, and tensors are made in float32 on the CPU, whatever the user has set.

    The small steps of a narrow net are slower on two threads than on one, above all if another process is busy. A
    fit that runs in a thread other than the main one, as under joblib, uses one thread. So does a forked process:
    the threads of its parent do not exist in it, and waiting for them would never end. Under autocast, weights are
    cast each time they are used, because torch would keep the first copy until the context ends.
    """
    flushed, cached = _flushes_denormals(), torch.is_autocast_cache_enabled()
    threads = torch.get_num_threads()
    _enter(threads)
    settings = ExitStack()
    try:
        settings.enter_context(torch.inference_mode(False))
        settings.enter_context(torch.enable_grad())
        if torch.get_default_device().type != "cpu":  # the context costs time in each call
            settings.enter_context(torch.device("cpu"))
        torch.set_flush_denormal(True)
        torch.set_autocast_cache_enabled(False)
        if _forked or not wide or threading.current_thread() is not threading.main_thread():
            torch.set_num_threads(1)
        yield
    finally:
        settings.close()
        torch.set_flush_denormal(flushed)
        torch.set_autocast_cache_enabled(cached)
        _leave(threads)


def _enter(threads: int) -> None:
    """Remember the defaults of the process, if no other fit is running."""
    global _running, _default_threads, _default_dtype
    with _lock:
        if _running == 0:
            _default_threads, _default_dtype = threads, torch.get_default_dtype()
            torch.set_default_dtype(torch.float32)
        _running += 1


def _leave(threads: int) -> None:
    """Restore this thread's setting and, if no other fit is running, the defaults of the process."""
    global _running
    with _lock:
        _running -= 1
        torch.set_num_threads(_default_threads if _running == 0 else threads)
        if _running == 0:
            torch.set_default_dtype(_default_dtype)


def _begin_fork() -> None:
    """Set up a forked process: one thread, and a lock that no thread of the parent holds."""
    global _forked, _lock
    _forked, _lock = True, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_fork)


def _flushes_denormals() -> bool:
    return bool(torch.tensor([2e-39], dtype=torch.float32, device="cpu").mul_(0.5).item() == 0.0)
