"""The loop: plan what should be happening, see to it, take in what happened, write it down."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar, assert_never

from hpo.core.apply import Change, apply
from hpo.core.effects import Abandon, Effect, Propose, Start, Stop, WakeAt, Watch
from hpo.core.events import Edited, Event, StopRequested, Ticked
from hpo.core.history import History
from hpo.core.job import Job
from hpo.core.plan import launch_of, plan
from hpo.core.trial import JobHandle, Reason, Trial
from hpo.errors import DiskFull
from hpo.launchers.launcher import Launcher
from hpo.scheduler.asks import Answer, Asker
from hpo.scheduler.clock import Clock
from hpo.scheduler.edits import Edit, Editor
from hpo.scheduler.perform import Performer
from hpo.scheduler.watch import Watcher
from hpo.search.strategy import Strategy
from hpo.store.sqlite import Store

LISTEN_EVERY = 0.5
"""Seconds between two looks at what other processes ask for."""

NOTE_EVERY = 30.0
"""Seconds after which it is written down that the session lives, whether or not anything happens."""

Listener = Callable[[Event, Change], None]
"""Told of every event and its change, once they are written down."""

_Key = tuple[str, int, int]
_Arrived = Sequence[Event] | Answer | BaseException
_E = TypeVar("_E", Start, Abandon, Stop)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a scheduler works with."""

    store: Store
    history: History
    strategy: Strategy
    launcher: Launcher
    performer: Performer
    clock: Clock
    editor: Editor | None = None  # None where nothing can be edited


class Scheduler:
    """Runs one job to its end; the only writer of its store."""

    def __init__(self, job: Job, parts: Parts) -> None:
        self.job = job
        self._parts = parts
        self._listeners: list[Listener] = []
        self._arrived: asyncio.Queue[_Arrived] = asyncio.Queue()
        self._tasks: dict[_Key, asyncio.Task[Event]] = {}
        self._alarm: tuple[float, asyncio.Task[None]] | None = None
        self._asker = Asker(parts.strategy, parts.history, self._arrived.put_nowait)
        self._watcher = Watcher(parts.launcher, parts.performer.look, self._arrived.put_nowait)
        self._left = False
        self._expected: int | None = None  # how many runs the launcher was last told to expect
        self._made_ready = 0  # the last trial that the launcher was told of before its time
        self._making_ready: asyncio.Task[None] | None = None
        self._asked: asyncio.Queue[int] = asyncio.Queue()  # requests for edits
        self._edit: Edit | None = None  # the one that is being taken in
        self._taken_in = asyncio.Event()

    def listen(self, listener: Listener) -> None:
        """Tell `listener` of every event from now on."""
        self._listeners.append(listener)

    def request_stop(self, reason: Reason, detail: str, *, at_once: bool = False) -> None:
        """Ask for the job's end: running trials are stopped, with their grace unless `at_once`."""
        self._arrived.put_nowait([StopRequested(reason, detail, self._parts.clock.now(), at_once)])

    def leave(self) -> None:
        """Return from `run` as soon as possible and leave the running trials to themselves."""
        self._left = True
        self._arrived.put_nowait([])

    async def run(self) -> Job:
        """Return the job once it is done (or left); what fails for good is raised.

        Whatever is raised, what was committed stays, the running trials go on, and a new scheduler
        takes up from there.
        """
        listening = asyncio.create_task(self._hear_requests())
        editing = asyncio.create_task(self._edit_as_asked())
        for hearing in (listening, editing):
            hearing.add_done_callback(self._heard)
        try:
            self._take([Ticked(self._parts.clock.now())])
            self._take_arrived()  # a stop that was asked for already comes before anything is started
            while not self.job.is_done and not self._left:
                self._tell_expected()
                for effect in plan(self.job, self._parts.clock.now()):
                    self._ensure(effect)
                self._look_ahead()
                if not self._arrived.empty():
                    await asyncio.sleep(0)  # as `get` gives nothing else its turn then
                self._take_arrived(await self._arrived.get())
            self._tell_expected()
        finally:
            listening.cancel()
            editing.cancel()
            self._asker.close()
            self._watcher.close()
            others = [self._alarm[1] if self._alarm else None, self._making_ready]
            for task in (*self._tasks.values(), *filter(None, others)):
                task.cancel()
        return self.job

    def _tell_expected(self) -> None:
        """Tell the launcher how many more runs there will be, whenever that has changed."""
        if (runs := self.job.runs_to_come) != self._expected:
            self._expected = runs
            self._parts.launcher.expect(runs)

    def _look_ahead(self) -> None:
        """Let the launcher make ready the next trial where it is known already: while all slots are busy."""
        job, launcher, number = self.job, self._parts.launcher, self.job.proposed + 1
        if not launcher.prepares or number == self._made_ready:
            return
        if job.may_propose or job.has_proposed_all or job.ending is not None:
            return
        self._made_ready = number
        if (proposal := self._asker.known(number)) is not None:
            trial = Trial(number, proposal.params, proposal.proposed_by, algorithm=proposal.algorithm)
            self._making_ready = asyncio.create_task(launcher.prepare(launch_of(job.settings, trial)))

    # -- effects

    def _ensure(self, effect: Effect) -> None:
        """See to it that an effect is under way; Start and Abandon of one run exclude each other."""
        performer = self._parts.performer
        match effect:
            case Propose():
                if self._arrived.empty():  # never choose values while evidence is waiting to be taken in
                    self._asker.ask(effect.trial, self._parts.clock.now())
            case Start():
                self._perform(("launch", effect.launch.trial, effect.launch.run), performer.start, effect)
            case Abandon():
                self._perform(("launch", effect.launch.trial, effect.launch.run), performer.abandon, effect)
            case Stop():
                self._perform((f"stop {effect.at_once}", effect.trial, effect.run), performer.stop, effect)
            case Watch():
                self._watcher.follow(launched(self.job))
            case WakeAt():
                self._set_alarm(effect.time)
            case _:
                assert_never(effect)

    def _perform(self, key: _Key, perform: Callable[[_E], Coroutine[None, None, Event]], effect: _E) -> None:
        if key not in self._tasks:
            task = asyncio.create_task(perform(effect))
            self._tasks[key] = task
            task.add_done_callback(lambda task: self._performed(key, task))

    def _performed(self, key: _Key, task: asyncio.Task[Event]) -> None:
        if not task.cancelled():
            del self._tasks[key]
            error = task.exception()
            self._arrived.put_nowait(error if error is not None else [task.result()])

    def _set_alarm(self, time: float) -> None:
        if self._alarm is not None:
            if self._alarm[0] == time and not self._alarm[1].done():
                return
            self._alarm[1].cancel()
        self._alarm = (time, asyncio.create_task(self._ring(time)))

    async def _ring(self, time: float) -> None:
        await self._parts.clock.until(time)
        self._arrived.put_nowait([Ticked(self._parts.clock.now())])

    async def _hear_requests(self) -> None:
        store, clock = self._parts.store, self._parts.clock
        version, heard, noted = -1, 0, clock.now()
        while True:
            if (latest := store.version()) != version:
                version = latest
                for number, kind in store.requests(after=heard):
                    heard = number
                    if kind == "edit":
                        self._asked.put_nowait(number)
                        continue
                    at_once = kind == "stop at once"
                    self.request_stop(Reason.STOPPED, "`hpo stop` was called", at_once=at_once)
            if (now := clock.now()) >= noted + NOTE_EVERY:
                noted = now
                with suppress(DiskFull):  # only what must not be lost is worth ending for
                    store.note_alive(at=now)
            await asyncio.sleep(LISTEN_EVERY)

    async def _edit_as_asked(self) -> None:
        """Make edits one after the other, each judged by what the one before it has left."""
        while (editor := self._parts.editor) is not None:
            edit = await asyncio.to_thread(editor.edit, await self._asked.get())
            if edit is not None:
                self._taken_in.clear()
                self._edit = edit
                self._arrived.put_nowait([edit.event])
                await self._taken_in.wait()

    def _take_edit(self) -> None:
        """Write an edit down, and ask the strategy that it leads to from now on."""
        if self._edit is not None:
            self._edit.commit()
            self._asker.replace(self._edit.strategy)
            self._edit = None
            self._taken_in.set()

    def _heard(self, listening: asyncio.Task[None]) -> None:
        if not listening.cancelled() and (error := listening.exception()):
            self._arrived.put_nowait(error)

    # -- events

    def _take_arrived(self, *arrived: _Arrived) -> None:
        """Take in all of this and all that waits; raise what failed for good."""
        waiting = [self._arrived.get_nowait() for _ in range(self._arrived.qsize())]
        for each in (*arrived, *waiting):
            match each:
                case BaseException():
                    raise each
                case Answer():
                    self._take(self._asker.take(each, is_wanted=self.job.may_propose))
                case _:
                    self._take(each)

    def _take(self, events: Sequence[Event]) -> None:
        for event in events:
            if isinstance(event, Edited):
                self._take_edit()
            change = self._applied(event)
            taken = [(event, change)]
            if (pruned := self._asker.tell(event, change)) is not None:
                change = self._applied(pruned)
                self._asker.tell(pruned, change)
                taken.append((pruned, change))
            self._parts.store.commit([change for _, change in taken], at=event.at)
            for listener in self._listeners:
                for pair in taken:
                    listener(*pair)

    def _applied(self, event: Event) -> Change:
        change = apply(self.job, event)
        self.job = change.job
        return change


def launched(job: Job) -> dict[JobHandle, Trial]:
    """Return the open trials whose current run was launched, by its handle."""
    return {trial.run.handle: trial for trial in job.open.values() if trial.run.handle is not None}
