"""Signals as requests to stop."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hpo.core.trial import Reason
from hpo.scheduler.loop import Scheduler

SIGNALS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
"""Signals that interrupt a job, and the exit status after each."""


@contextmanager
def handlers_kept() -> Iterator[None]:
    """Give every signal the handler back that it had, whatever handles it within the block."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            if handler is not None:  # one that was not set from Python cannot be set again
                signal.signal(number, handler)


@contextmanager
def handled(handle: Callable[[signal.Signals], None]) -> Iterator[None]:
    """Call `handle` for each signal within the block; in the main thread, where alone they are heard."""
    with handlers_kept():
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                if signal.getsignal(number) is not signal.SIG_IGN:
                    signal.signal(number, lambda caught, _: handle(signal.Signals(caught)))
        yield


class Interrupts:
    """Turns the first signal into a stop with grace, another one, or one of a job that ends, into haste.

    One more leaves the trials to themselves that cannot be stopped: what runs them may not answer.
    """

    def __init__(self, scheduler: Scheduler, *, leave_running: bool) -> None:
        self._scheduler = scheduler
        self._leave_running = leave_running
        self._is_in_haste = False
        self.status: int | None = None

    def install(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take over the signals, in the main thread; one that is ignored (nohup) stays so."""
        if threading.current_thread() is not threading.main_thread():
            return
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                loop.add_signal_handler(number, self.interrupt, number)

    def interrupt(self, number: signal.Signals) -> None:
        """Do what a signal asks for; to be called in the loop's own thread."""
        job = self._scheduler.job
        again = self.status is not None or (job.ending is not None and not job.is_finishing)
        self.status = SIGNALS[number]
        what = "Ctrl-C" if number is signal.SIGINT else number.name
        if self._leave_running or self._is_in_haste:
            self._scheduler.leave()
        elif again:
            self._is_in_haste = True
            self._scheduler.request_stop(Reason.INTERRUPTED, f"{what}, at once", at_once=True)
        else:
            self._scheduler.request_stop(Reason.INTERRUPTED, what)
