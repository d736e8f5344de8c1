"""Signals as requests to stop."""

from __future__ import annotations

import asyncio
import signal
import threading

from hpo.core.trial import Reason
from hpo.scheduler.loop import Scheduler

SIGNALS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
"""Signals that interrupt a job, and the exit status after each."""


class Interrupts:
    """Turns the first signal into a stop with grace, the second into one at once."""

    def __init__(self, scheduler: Scheduler, *, leave_running: bool) -> None:
        self._scheduler = scheduler
        self._leave_running = leave_running
        self.status: int | None = None

    def install(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take over the signals, in the main thread; one that is ignored (nohup) stays so."""
        if threading.current_thread() is not threading.main_thread():
            return
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                loop.add_signal_handler(number, self._interrupt, number)

    def _interrupt(self, number: signal.Signals) -> None:
        again, self.status = self.status is not None, SIGNALS[number]
        if self._leave_running:
            self._scheduler.leave()
        elif again:
            self._scheduler.request_stop(Reason.INTERRUPTED, f"{number.name} again", at_once=True)
        else:
            what = "Ctrl-C" if number is signal.SIGINT else number.name
            self._scheduler.request_stop(Reason.INTERRUPTED, what)
