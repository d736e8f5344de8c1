"""How fast AWS is asked, on a clock of the test's own."""

from __future__ import annotations

import asyncio
import time
from collections import Counter

from hpo.launchers.sagemaker.pace import Operation, Pace
from tests.command_line import PATIENCE


def granted(
    calls: list[Operation], *, rate: float, throttled: Operation | None = None
) -> list[tuple[float, Operation]]:
    """Return when each call was let go, if all are wanted at once."""
    times: list[tuple[float, Operation]] = []

    async def test() -> None:
        pace = Pace(rate)
        began = time.monotonic()
        if throttled:
            for _ in range(3):
                pace.throttled(throttled)

        async def call(operation: Operation) -> None:
            async with pace.turn(operation):
                times.append((time.monotonic() - began, operation))

        await asyncio.gather(*(call(operation) for operation in calls))

    asyncio.run(asyncio.wait_for(test(), PATIENCE))
    return times


def most_in_a_second(times: list[tuple[float, Operation]]) -> int:
    moments = [moment for moment, _ in times]
    return max(sum(start <= moment < start + 1.0 for moment in moments) for start in moments)


def test_no_second_has_more_calls_than_allowed() -> None:
    calls = [Operation.EVENTS] * 20 + [Operation.DESCRIBE] * 20 + [Operation.CREATE] * 10
    assert most_in_a_second(granted(calls, rate=20.0)) <= 20


def test_the_urgent_goes_first() -> None:
    order = [operation for _, operation in granted([Operation.EVENTS] * 20 + [Operation.STOP], rate=40.0)]
    assert order.index(Operation.STOP) <= 2


def test_an_operation_that_is_throttled_slows_down_alone() -> None:
    calls = [Operation.DESCRIBE] * 6 + [Operation.EVENTS] * 6
    times = granted(calls, rate=40.0, throttled=Operation.DESCRIBE)
    last = {operation: moment for moment, operation in times}
    assert last[Operation.DESCRIBE] > 2 * last[Operation.EVENTS]
    assert Counter(operation for _, operation in times) == Counter(calls)


def test_who_gives_up_takes_no_turn() -> None:
    async def test() -> None:
        pace = Pace(20.0)

        async def call(operation: Operation) -> None:
            async with pace.turn(operation):
                pass

        waiting = [asyncio.ensure_future(call(Operation.LIST)) for _ in range(10)]
        await asyncio.sleep(0)
        for task in waiting[1:]:
            task.cancel()
        await asyncio.wait_for(call(Operation.DESCRIBE), 1.0)

    asyncio.run(test())


def test_while_calls_are_held_up_no_more_are_made_than_may_arrive_together() -> None:
    async def test() -> tuple[int, list[float]]:
        pace, answered, begun = Pace(10.0), asyncio.Event(), list[float]()

        async def call() -> None:
            async with pace.turn(Operation.EVENTS):
                begun.append(time.monotonic())
                await answered.wait()

        calls = [asyncio.ensure_future(call()) for _ in range(12)]
        await asyncio.sleep(1.0)  # long enough for seven
        held_up = len(begun)
        answered.set()
        released = time.monotonic()
        await asyncio.gather(*calls)
        return held_up, [released] * held_up + begun[held_up:]

    held_up, arrived = asyncio.run(asyncio.wait_for(test(), PATIENCE))
    assert held_up == 2
    assert most_in_a_second([(moment, Operation.EVENTS) for moment in arrived]) <= 10
