"""How runs that are processes of this machine end."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import pytest

from hpo.core.trial import Reason, RunState
from hpo.launchers.process.identity import identity
from tests.conformance.following import patiently
from tests.launchers.machine import Machine, ended

Eventually = Callable[[Callable[[], object]], None]


@pytest.mark.parametrize("number", ["SEGV", "ABRT", "KILL", "TERM"])
def test_a_signal_is_named(machine: Machine, number: str) -> None:
    report, _ = patiently(machine.run(machine.launcher(f"kill -{number} $$")))
    assert ended(report) == (RunState.FAILED, Reason.SIGNAL)
    assert report.detail == f"killed by SIG{number}; it printed nothing"
    assert report.ended is not None


def test_a_failure_shows_the_end_of_the_log(machine: Machine) -> None:
    script = "for n in 1 2 3 4 5 6; do echo line $n; done; printf '\\033[31mred\\a\\n\\n'; exit 3"
    report, _ = patiently(machine.run(machine.launcher(script)))
    assert ended(report) == (RunState.FAILED, Reason.EXIT_STATUS)
    assert report.detail == (
        "exit status 3; its last lines:\nline 3\nline 4\nline 5\nline 6\n\\x1b[31mred\\x07"
    )


def test_a_long_end_of_the_log_is_cut(machine: Machine) -> None:
    report, _ = patiently(machine.run(machine.launcher("head -c 10000 /dev/zero | tr '\\0' x; exit 1")))
    assert report.detail == "exit status 1; its last lines:\n" + 400 * "x"


def test_what_the_program_says_of_its_failure_is_shown(machine: Machine) -> None:
    script = "echo noise; head -c 3000 /dev/zero | tr '\\0' x > $SM_OUTPUT_DIR/failure; exit 3"
    report, _ = patiently(machine.run(machine.launcher(script)))
    assert report.detail == "exit status 3: " + 1024 * "x"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["nowhere-to-be-found", "x"], "nowhere-to-be-found cannot be started: No such file or directory"),
        (["./plain", "x"], "chmod +x"),
        (["./no-interpreter", "x"], "its first line names"),
        (["./no-first-line", "x"], "#!/bin/sh"),
        (["./folder", "x"], "Permission denied"),
    ],
)
def test_a_program_that_cannot_be_started_says_why(machine: Machine, command: list[str], words: str) -> None:
    for name, text in (("plain", ""), ("no-interpreter", "#!/no/such\n"), ("no-first-line", "echo x\n")):
        (machine.base / name).write_text(text)
        (machine.base / name).chmod(0o644 if name == "plain" else 0o755)
    (machine.base / "folder").mkdir()
    report, log = patiently(machine.run(machine.launcher(*command)))
    assert ended(report) == (RunState.FAILED, Reason.COULD_NOT_START)
    assert words in report.detail
    assert log == ""


def test_a_missing_working_directory_is_named(machine: Machine) -> None:
    report, _ = patiently(machine.run(machine.launcher("true", workdir="nowhere")))
    assert ended(report) == (RunState.FAILED, Reason.COULD_NOT_START)
    assert f"{machine.base}/nowhere" in report.detail


def test_parameters_that_are_too_long_are_named(machine: Machine) -> None:
    launch = machine.launch(params={"text": "x" * 4_000_000})
    report, _ = patiently(machine.run(machine.launcher("true"), launch))
    assert ended(report) == (RunState.FAILED, Reason.COULD_NOT_START)
    assert "too long" in report.detail


def test_when_a_program_ran_is_written_down(machine: Machine) -> None:
    before = time.time()
    report, _ = patiently(machine.run(machine.launcher("sleep 0.1")))
    assert report.started is not None
    assert report.ended is not None
    assert before <= report.started <= report.ended - 0.1 < time.time()


def test_a_program_that_ignores_a_stop_is_killed_after_the_grace_period(machine: Machine) -> None:
    script = "trap '' TERM; echo here; while :; do sleep 1000; done"

    async def test() -> None:
        async with machine.following(machine.launcher(script, stop_grace="0.3s")) as run:
            await run.until(b"here\n")
            await run.launcher.stop(run.handle)
            assert (await run.end()).state is RunState.STOPPED
            assert machine.processes() == []

    patiently(test())


def test_a_program_may_use_its_grace_period(machine: Machine) -> None:
    script = "trap 'echo saved; exit 0' TERM; echo here; while :; do sleep 0.01; done"

    async def test() -> None:
        async with machine.following(machine.launcher(script)) as run:
            await run.until(b"here\n")
            await run.launcher.stop(run.handle)
            assert (await run.end()).state is RunState.STOPPED
            assert run.log.endswith(b"saved\n")

    patiently(test())


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a guard adopt orphans")
@pytest.mark.parametrize(
    "child",
    [
        "sleep 1000 &",
        "setsid sleep 1000 &",
        "(setsid sh -c 'setsid sleep 1000 & setsid sleep 1000 & exec sleep 1000' &)",
        "sh -c 'trap \"\" TERM HUP; sleep 1000; sleep 1000' &",
    ],
)
@pytest.mark.parametrize("stop", [False, True])
def test_nothing_of_a_program_outlives_it(machine: Machine, child: str, *, stop: bool) -> None:
    async def test() -> None:
        launcher = machine.launcher(f"{child}\necho here; {'sleep 1000' if stop else 'exit 3'}")
        async with machine.following(launcher) as run:
            await run.until(b"here\n")
            if stop:
                await launcher.stop(run.handle)
            report = await run.end()
            assert machine.processes() == []
            assert report.state is (RunState.STOPPED if stop else RunState.FAILED)

    patiently(test())


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a guard adopt orphans")
def test_not_even_what_hides_outlives_the_last_program(machine: Machine, eventually: Eventually) -> None:
    pid = machine.base / "pid"
    script = f"env -i setsid sh -c 'echo $$ > {pid}; exec sleep 1000' & while [ ! -s {pid} ]; do :; done"
    report, _ = patiently(machine.run(machine.launcher(script)))
    assert report.state is RunState.SUCCEEDED
    hidden = int(pid.read_text())
    eventually(lambda: not identity(hidden))
