"""The strategy, asked beside the loop, and told what has happened one event after the other."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue

from hpo.core.apply import Change
from hpo.core.events import Event, Exhausted, Observed, Proposed, Pruned
from hpo.core.history import History
from hpo.core.trial import TrialStatus
from hpo.search.strategy import Proposal, Strategy

PATIENCE = 1.0
"""Seconds for which an ask is waited for when the loop ends: as most take less, few are cut off."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a strategy answered for a trial, or raised; None where nothing is left to propose."""

    strategy: Strategy
    number: int
    asked: float  # when its evidence was that of the job, in seconds since the epoch
    outcome: Proposal | BaseException | None


class Asker:
    """Asks a strategy, and keeps the history that it reads.

    One that needs results may take its time: it is asked in a thread, where the history stays as it was when
    it was asked. What happens meanwhile is held back from it, not from the job: when it has answered, it is
    told, and judges running trials, event by event. So nothing of a strategy is ever called twice at once,
    and a proposal is a function of the evidence with which it was begun.
    """

    def __init__(self, strategy: Strategy, history: History, deliver: Callable[[Answer], None]) -> None:
        self._strategy = strategy
        self._history = history
        self._deliver = deliver  # in the loop's own thread
        self._is_thinking = False
        self._held: list[tuple[Event, Change]] = []  # what happened while it is thinking
        self._questions: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def ask(self, number: int, now: float) -> None:
        """Have an answer for trial `number` delivered; one is asked for at a time."""
        if self._is_thinking:
            return
        question = partial(_answer, self._strategy, self._history, number, now)
        if not self._strategy.needs_results:
            self._deliver(question())
            return
        self._is_thinking = True
        if self._thread is None:
            # As a daemon, since nothing can end an ask that hangs: the process must not wait for it.
            self._thread = threading.Thread(target=_work, args=(self._questions,), daemon=True)
            self._thread.start()
        self._questions.put(partial(_send, asyncio.get_running_loop(), self._deliver, question))

    def known(self, number: int) -> Proposal | None:
        """Return the proposal for a trial that no result can change any more; None where there is none."""
        if self._is_thinking or self._strategy.needs_results:
            return None
        return self._strategy.propose(self._history, number)

    def take(self, answer: Answer, *, is_wanted: bool) -> list[Event]:
        """Tell what was held back, and return the verdicts on that, then the proposal.

        An answer that is not wanted, or one of a strategy that was replaced, is dropped. Raises what the
        strategy has raised, unless it is dropped.
        """
        self._is_thinking = False
        held, self._held = self._held, []
        events: list[Event] = [verdict for each in held if (verdict := self.tell(*each))]
        if not is_wanted or answer.strategy is not self._strategy:
            return events
        match answer.outcome:
            case BaseException() as error:
                raise error
            case None:
                return [*events, Exhausted(answer.asked)]
            case Proposal(params, proposed_by, memo, algorithm):
                number, at = answer.number, answer.asked
                return [*events, Proposed(number, params, proposed_by, memo, at, algorithm)]

    def tell(self, event: Event, change: Change) -> Pruned | None:
        """Tell what has happened; return the verdict where it stops a trial, as far as that is known yet."""
        if self._is_thinking:
            self._held.append((event, change))
            return None
        for trial in change.trials:
            self._history.record(trial)
        self._history.extend(change.points)
        return self._judge(event, change) if isinstance(event, Observed) else None

    def _judge(self, event: Observed, change: Change) -> Pruned | None:
        """Ask about a running trial whose curve has just grown: that of its first repeat."""
        trial = change.job.open.get(event.trial)
        if trial is None or trial.status is not TrialStatus.RUNNING or trial.run.repeat > 1:
            return None
        if not any(point.metric == self._history.objective.metric for point in change.points):
            return None
        verdict = self._strategy.should_stop(self._history, trial.number)
        return Pruned(trial.number, trial.run.number, verdict, event.at) if verdict else None

    def replace(self, strategy: Strategy) -> None:
        """Ask another strategy from now on."""
        self._strategy = strategy

    def close(self) -> None:
        """Ask nothing more; an ask that is under way, and takes longer than `PATIENCE`, is left to itself."""
        self._questions.put(None)
        if self._thread is not None:
            self._thread.join(PATIENCE)


def _answer(strategy: Strategy, history: History, number: int, now: float) -> Answer:
    outcome: Proposal | BaseException | None
    try:
        outcome = strategy.propose(history, number)
    except BaseException as error:  # noqa: BLE001 -- raised where the answer is taken
        outcome = error
    return Answer(strategy, number, now, outcome)


def _send(
    loop: asyncio.AbstractEventLoop, deliver: Callable[[Answer], None], question: Callable[[], Answer]
) -> None:
    answer = question()
    with suppress(RuntimeError):  # the loop is closed, and nobody waits for it
        loop.call_soon_threadsafe(deliver, answer)


def _work(questions: SimpleQueue[Callable[[], None] | None]) -> None:
    while (question := questions.get()) is not None:
        question()
