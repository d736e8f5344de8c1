"""Programs that misbehave: each ends as what it is, and none harms the others or the tuner."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from tests.command_line import PATIENCE, Called, Hpo

WITHOUT_GRACE = {"command": ["sh", "train.sh"], "stop_grace": "1s"}


def trials(hpo: Hpo) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = hpo("trials", "job", "--json").json
    return found


def outcomes(hpo: Hpo) -> list[tuple[str, str | None]]:
    return [(trial["status"], trial["reason"]) for trial in trials(hpo)]


def failing(hpo: Hpo, program: str, **sections: object) -> Called:
    """Run a job of one trial that fails, and return what was said."""
    hpo.job(program, **{"limits": {"max_jobs": 1}, **sections})
    return hpo("run", "spec.yaml", status=1)


def test_a_program_that_prints_nothing(hpo: Hpo) -> None:
    said = failing(hpo, "true").err
    assert outcomes(hpo) == [("failed", "no metric")]
    assert "the log is empty: nothing was printed on stdout or stderr" in said


def test_a_near_miss_is_shown_with_the_pattern_that_reads_it(hpo: Hpo) -> None:
    said = failing(hpo, "echo starting; echo 'epoch 3: Loss: 0.25'").err
    assert outcomes(hpo) == [("failed", "no metric")]
    assert r"0 matches in 2 lines for `loss=(\S+)`" in said
    assert "the closest is line 2: epoch 3: Loss: 0.25" in said
    assert r"try: 'Loss: (\S+)' (it reads 1 number here, the last is 0.25)" in said


def test_a_program_that_crashes_trips_the_breaker(hpo: Hpo) -> None:
    hpo.job("echo loading; echo 'no module named torch' >&2; exit 3", limits={"max_jobs": 50})
    said = hpo("run", "spec.yaml", status=1).err
    assert outcomes(hpo) == [("failed", "exit status")] * 3
    assert "job failed: the first 3 trials all failed" in said
    assert "trial 3 failed, exit status 3\n" in said
    assert said.count("  | no module named torch") == 1
    assert "hpo logs job 3" in said
    assert "hpo retry job" in said


LAST_WORDS = """
echo loading
printf '\\nValueError: no such optimizer\\n\\n' >&2
[ $HPO_TRIAL != 1 ] || echo loss=1
[ $HPO_TRIAL = 1 ] || exit 3
"""


def test_one_line_says_why_a_program_failed_by_its_last_line(hpo: Hpo) -> None:
    hpo.job(LAST_WORDS, limits={"max_jobs": 2})
    said = hpo("run", "spec.yaml").err.splitlines()
    assert [line for line in said if line.endswith("exit status 3: ValueError: no such optimizer")]
    row = hpo("trials", "job").out.splitlines()[2]
    assert row.endswith("  exit status 3: ValueError: no such optimizer")
    tried = hpo("try", "spec.yaml", "--set", "launcher.command=sh -c 'echo oh; echo no; exit 3'", status=1)
    assert tried.out.startswith("it ended: exit status 3: no; 2 lines were read")


def test_a_failed_job_shows_all_of_its_last_lines(hpo: Hpo) -> None:
    said = failing(hpo, "echo loading; echo 'no module named torch' >&2; exit 3").err
    expected = [
        "trial 1 failed, exit status 3",
        "the last lines of its log (all of it: hpo logs job 1):",
        "  | loading",
        "  | no module named torch",
    ]
    assert "\n".join(expected) in said
    assert said.count("loading") == 1


def test_a_failed_job_shows_what_its_program_said_of_it(hpo: Hpo) -> None:
    said = failing(hpo, 'echo loading; echo "no GPU" > "$SM_OUTPUT_DIR/failure"; exit 3').err
    assert "trial 1 failed, exit status 3: no GPU\nthe last lines of its log" in said


def test_a_limit_of_failures_ends_the_job(hpo: Hpo) -> None:
    hpo.job("[ $HPO_TRIAL = 1 ] && echo loss=1", limits={"max_jobs": 50, "max_failures": 2})
    assert "2 trials failed" in hpo("run", "spec.yaml", status=1).err
    assert outcomes(hpo) == [("completed", None)] + [("failed", "exit status")] * 2


def test_failures_stop_no_other_trial_and_count_as_trials(hpo: Hpo) -> None:
    hpo.job(
        '[ $((HPO_TRIAL % 2)) = 1 ] || exit 3; echo "loss=$HPO_TRIAL"',
        limits={"max_jobs": 9, "max_parallel_jobs": 3},
    )
    hpo("run", "spec.yaml")
    assert outcomes(hpo) == [("completed", None), ("failed", "exit status")] * 4 + [("completed", None)]


def test_a_program_that_dies_of_a_signal(hpo: Hpo) -> None:
    said = failing(hpo, "echo loss=1; kill -SEGV $$").err
    assert outcomes(hpo) == [("failed", "signal")]
    assert "killed by SIGSEGV" in said


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("#!/no/such/interpreter\n", "the interpreter that its first line names, does not exist"),
        ("echo loss=1\n", "its first line must name an interpreter"),
    ],
)
def test_a_program_that_cannot_be_started(hpo: Hpo, program: str, words: str) -> None:
    hpo.job("", limits={"max_jobs": 1}, launcher={"command": ["./program"]})
    hpo.write("program", program, mode=0o755)
    assert words in hpo("run", "spec.yaml", status=1).err
    assert outcomes(hpo) == [("failed", "could not start")]


@pytest.mark.parametrize("value", ["nan", "inf", "-Infinity"])
def test_a_value_that_is_not_finite_is_no_result(hpo: Hpo, value: str) -> None:
    said = failing(hpo, f"echo loss=0.5; echo loss={value}").err
    assert outcomes(hpo) == [("failed", "not finite")]
    assert trials(hpo)[0]["value"] is None
    assert f"loss is {float(value)}" in said


def test_a_program_that_never_ends_is_stopped(hpo: Hpo) -> None:
    said = failing(hpo, "echo loss=1; exec sleep 1000", limits={"max_jobs": 1, "max_job_runtime": "0.5s"}).err
    assert outcomes(hpo) == [("failed", "timeout")]
    assert "limits.max_job_runtime, 0.5 seconds" in said
    assert hpo.left_behind() == []


def test_a_program_that_ignores_sigterm_is_killed(hpo: Hpo) -> None:
    program = "trap '' TERM; echo loss=1; while true; do sleep 0.1; done"
    limits = {"max_jobs": 1, "max_job_runtime": "0.5s"}
    failing(hpo, program, limits=limits, launcher=WITHOUT_GRACE)
    assert outcomes(hpo) == [("failed", "timeout")]
    assert hpo.left_behind() == []


FORKING = """
sleep 1000 &
(trap '' TERM; sleep 1000) &
setsid sleep 1000 &
nohup setsid sh -c 'sleep 1000; true' &
echo "loss=1"
"""


@pytest.mark.parametrize("end", ["exit 0", "exit 3", "exec sleep 1000"])
def test_a_program_that_forks_leaves_nothing_behind(hpo: Hpo, end: str) -> None:
    hpo.job(f"{FORKING}{end}", limits={"max_jobs": 1, "max_job_runtime": "1s"}, launcher=WITHOUT_GRACE)
    hpo("run", "spec.yaml", status=None)
    status = {"exit 0": ("completed", None), "exit 3": ("failed", "exit status")}
    assert outcomes(hpo) == [status.get(end, ("failed", "timeout"))]
    assert hpo.left_behind() == []


@pytest.mark.parametrize("above", [0, 1, 2])
def test_a_program_that_deletes_its_folder_fails_alone(hpo: Hpo, above: int) -> None:
    """Its /opt/ml, its run's folder with the log, and its trial's folder with all runs."""
    folder = f"{'$(dirname ' * above}$SAGEMAKER_BASE_DIR{')' * above}"
    hpo.job(f'echo "loss=$HPO_TRIAL"; [ $HPO_TRIAL != 2 ] || rm -rf {folder}')
    hpo("run", "spec.yaml")
    found = outcomes(hpo)
    assert (found[0], found[2]) == (("completed", None), ("completed", None))
    assert found[1] in {("completed", None), ("failed", "no metric")}  # whether its log was read in time


NOISE = r"""
printf '\377\376 broken \303( bytes loss=9\n'
printf '\033[1;32mloss=\033[0m8\033[K\n'
printf 'step 1 loss=7\rstep 2 loss=6\rstep 3 loss=5'
"""


def test_noise_is_read_through(hpo: Hpo) -> None:
    hpo.job(NOISE, limits={"max_jobs": 1})
    events = [json.loads(line) for line in hpo("run", "spec.yaml", "--json").out.splitlines()]
    assert [event["value"] for event in events if event["event"] == "metric"] == [9.0, 8.0, 7.0, 6.0, 5.0]
    assert trials(hpo)[0]["value"] == 5.0


def test_a_last_line_without_its_newline_counts(hpo: Hpo) -> None:
    hpo.job("echo loss=2; printf loss=1", limits={"max_jobs": 1})
    hpo("run", "spec.yaml")
    assert trials(hpo)[0]["value"] == 1.0


def test_what_a_program_prints_moves_no_cursor(hpo: Hpo) -> None:
    said = failing(hpo, r"printf '\033[2J\033]0;title\007boom\n'; exit 3").err
    assert "boom" in said
    assert "\x1b" not in said
    assert "\x07" not in said


MEASURED = """
import resource, subprocess, sys
status = subprocess.call(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024, file=sys.stderr)
sys.exit(status)
"""
"""Runs a command, and prints the most memory that a process of it held, in MiB."""


@pytest.mark.parametrize(
    ("program", "outcome"),
    [
        ("yes 'a line of some length, with a number: 0.125' | head -c 100000000; echo loss=1", None),
        ("head -c 100000000 /dev/zero | tr '\\0' x; echo; echo loss=1", None),
        ("yes 'a line of some length, with a number: 0.125' | head -c 100000000", "no metric"),
        pytest.param("yes loss=1 | head -c 10000000", None, marks=pytest.mark.slow),
    ],
    ids=["lines", "one_line", "no_metric", "a_million_matches"],
)
def test_a_program_that_prints_without_end_does_not_fill_the_memory(
    hpo: Hpo, program: str, outcome: str | None
) -> None:
    hpo.job(program, limits={"max_jobs": 1})
    process = hpo.start("run", "spec.yaml", under=[sys.executable, "-c", MEASURED])
    assert process.wait(PATIENCE) == (1 if outcome else 0)
    assert trials(hpo)[0]["reason"] == outcome
    assert int(hpo.text("err").splitlines()[-1]) < 200


@pytest.mark.parametrize("step", ["nan", "inf"])
def test_a_step_that_is_no_number_is_counted(hpo: Hpo, step: str) -> None:
    hpo.job(
        f"echo 'epoch={step} loss=3'; echo 'epoch=7 loss=2'",
        objective={"metric": "loss", "goal": "minimize", "step": "epoch"},
        metrics={"epoch": r"epoch=(\S+)", "loss": r"loss=(\S+)"},
        limits={"max_jobs": 1},
    )

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    ran = hpo("run", "spec.yaml", "--json").out.splitlines()
    events = [json.loads(line, parse_constant=refuse) for line in ran]
    points = [(event["step"], event["value"]) for event in events if event["event"] == "metric"]
    assert points == [(1, 3.0), (7.0, 2.0)]
    assert trials(hpo)[0]["value"] == 2.0
