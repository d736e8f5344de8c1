"""How fast AWS is asked, on a clock of the test's own."""

from __future__ import annotations

import asyncio
import time
from collections import Counter

from hpo.launchers.sagemaker.pace import Operation, Pace


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
            await pace.turn(operation)
            times.append((time.monotonic() - began, operation))

        await asyncio.gather(*(call(operation) for operation in calls))

    asyncio.run(asyncio.wait_for(test(), 30))
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
        waiting = [asyncio.ensure_future(pace.turn(Operation.LIST)) for _ in range(10)]
        await asyncio.sleep(0)
        for task in waiting[2:]:
            task.cancel()
        await asyncio.wait_for(pace.turn(Operation.DESCRIBE), 1.0)

    asyncio.run(test())
