"""What every launcher must do with the logs of its runs, whatever it launches into."""

from __future__ import annotations

import pytest

from hpo.launchers.log_file import LIMIT
from hpo.launchers.scripted import Hold
from tests.conformance.following import Follower, patiently
from tests.conformance.launching import launch, launcher_on, told
from tests.conformance.stages import Stage


@pytest.mark.parametrize("last", [b"the last line\n", b"the last line"])
def test_the_last_line_before_the_end_is_read(stage: Stage, last: bytes) -> None:
    stage.plan(1, [b"first\n", last])

    async def test() -> None:
        async with launcher_on(stage) as launcher:
            follower = Follower(launcher, await launcher.launch(launch()))
            await follower.end()
            assert follower.log == told(stage, b"first\n" + last)

    patiently(test())


def test_a_line_comes_when_it_is_whole(stage: Stage) -> None:
    stage.plan(1, [b"one\ntw", Hold("a"), b"o\n", Hold("b")])

    async def test() -> None:
        async with launcher_on(stage) as launcher:
            follower = Follower(launcher, await launcher.launch(launch()))
            await follower.until(b"one\n")
            await follower.look()
            assert follower.log == b"one\n"
            stage.open("a")
            await follower.until(b"two\n")
            assert follower.chunks == [b"one\n", b"two\n"]
            stage.open("b")
            await follower.end()

    patiently(test())


def test_a_progress_bar_comes_as_it_moves(stage: Stage) -> None:
    if stage.tells_lines:
        pytest.skip("a log that is told in lines has no news of an unended one")
    stage.plan(1, [b"10%\r", b"20", Hold("a"), b"%\r", Hold("b"), b"100%\r\n"])

    async def test() -> None:
        async with launcher_on(stage) as launcher:
            follower = Follower(launcher, await launcher.launch(launch()))
            await follower.until(b"10%\r")
            assert follower.log == b"10%\r"
            stage.open("a")
            await follower.until(b"20%\r")
            stage.open("b")
            await follower.end()
            assert follower.log == b"10%\r20%\r100%\r\n"

    patiently(test())


def test_going_on_from_a_cursor_neither_loses_nor_repeats(stage: Stage) -> None:
    lines = [f"line {number}\n".encode() for number in range(40)]
    acts: list[bytes | Hold] = []
    for number, line in enumerate(lines):
        acts += [line[:3], line[3:], *([Hold(f"gate-{number}")] if number % 10 == 9 else [])]
    stage.plan(1, acts)

    async def test() -> None:
        seen, cursor = b"", ""
        for number in (9, 19, 29, 39):
            async with launcher_on(stage) as launcher:
                follower = Follower(launcher, await launcher.launch(launch()), cursor)
                await follower.until(lines[number])
                seen, cursor = seen + follower.log, follower.cursor
            stage.open(f"gate-{number}")
        async with launcher_on(stage) as launcher:
            follower = Follower(launcher, await launcher.launch(launch()), cursor)
            await follower.end()
        assert seen + follower.log == b"".join(lines)

    patiently(test())


def test_bytes_that_are_no_utf_8_come_as_they_are(stage: Stage) -> None:
    stage.plan(1, [b"\xff\xfe loss=0.5 \x80\n", b"\0\n"])

    async def test() -> None:
        async with launcher_on(stage) as launcher:
            follower = Follower(launcher, await launcher.launch(launch()))
            await follower.end()
            assert follower.log == told(stage, b"\xff\xfe loss=0.5 \x80\n\0\n")

    patiently(test())


def test_a_line_of_a_megabyte_comes_whole(stage: Stage) -> None:
    line = b"x" * (LIMIT - 1) + b"\n"
    stage.plan(1, [line, b"loss=0.5\n"])

    async def test() -> None:
        async with launcher_on(stage) as launcher:
            follower = Follower(launcher, await launcher.launch(launch()))
            await follower.end()
            assert follower.chunks == [line, b"loss=0.5\n"]

    patiently(test())


def test_an_endless_line_comes_in_pieces_while_it_is_written(stage: Stage) -> None:
    if stage.tells_lines:
        pytest.skip("a log that is told in lines has no news of an unended one")
    words = b"loss=0.125 " * (3 * LIMIT // 11)
    stage.plan(1, [words, Hold("gate"), b"\n"])

    async def test() -> None:
        async with launcher_on(stage) as launcher:
            follower = Follower(launcher, await launcher.launch(launch()))
            while len(follower.log) < 2 * LIMIT - 100:
                await launcher.changed([follower.handle])
                await follower.look()
            stage.open("gate")
            await follower.end()
        assert follower.log == words + b"\n"
        assert max(map(len, follower.chunks)) <= LIMIT
        assert all(chunk.endswith((b" ", b"\n")) for chunk in follower.chunks)

    patiently(test())


def test_a_long_last_line_without_an_end_comes_as_it_is(stage: Stage) -> None:
    line = b"x" * 100_000
    stage.plan(1, [b"first\n", line[:70_000], Hold("gate"), line[70_000:]])

    async def test() -> None:
        async with launcher_on(stage) as launcher:
            follower = Follower(launcher, await launcher.launch(launch()))
            await follower.until(b"first\n")
        async with launcher_on(stage) as another:
            follower = Follower(another, follower.handle)
            await follower.until(b"first\n")
            stage.open("gate")
            await follower.end()
        assert follower.log == told(stage, b"first\n" + line)

    patiently(test())
