"""Reading ahead in a thread."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from typing import TypeVar

Item = TypeVar("Item")


def read_ahead(items: Iterator[Item], most: int, size: Callable[[Item], int]) -> Generator[Item]:
    """Yield the items of an iterator that runs in a thread, in order.

    An error of the iterator is raised where its item would come. The thread ends with the last item, or when the
    iterator that is returned is closed.

    Parameters
    ----------
    items : iterator
        Runs in the thread alone.
    most : int
        Total size of the items above which the thread waits; one item is always read.
    size : callable
        Size of an item, such as its bytes.
    """
    reader = _Reader(items, most, size)
    thread = threading.Thread(target=reader.run, name="sklearn_rnn-reader", daemon=True)
    thread.start()
    try:
        yield from reader
    finally:
        reader.stop()
        thread.join()


class _Reader:
    """Items that have been read, and the state that two threads share under one lock."""

    def __init__(self, items: Iterator, most: int, size: Callable):
        self.items, self.most, self.size = items, most, size
        self.changed = threading.Condition()
        self.ready: deque = deque()
        self.total, self.ended, self.stopped = 0, False, False
        self.error: BaseException | None = None

    def run(self) -> None:
        """Read items until they end, one fails, or `stop` is called."""
        try:
            for item in self.items:
                with self.changed:
                    self.changed.wait_for(lambda: self.stopped or self.total < self.most)
                    if self.stopped:
                        return
                    self.ready.append(item)
                    self.total += self.size(item)
                    self.changed.notify_all()
        except BaseException as error:  # it is raised in the thread that waits for the item
            self.error = error
        finally:
            with self.changed:
                self.ended = True
                self.changed.notify_all()

    def stop(self) -> None:
        """Make `run` return."""
        with self.changed:
            self.stopped = True
            self.ready.clear()
            self.changed.notify_all()

    def __iter__(self) -> Iterator:
        while True:
            with self.changed:
                self.changed.wait_for(lambda: self.ready or self.ended)
                if not self.ready:
                    break
                item = self.ready.popleft()
                self.total -= self.size(item)
                self.changed.notify_all()
            yield item
        if self.error is not None:
            raise self.error
