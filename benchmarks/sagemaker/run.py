"""What hpo makes of SageMaker's training jobs, on the emulator: warm pools, and how often AWS is asked.

python -m benchmarks.sagemaker.run [--only ROW]… [--quick] [--write]
"""

from __future__ import annotations

import bisect
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmarks.overhead.command import compile_package, parser
from benchmarks.overhead.machine import about, load
from benchmarks.overhead.table import Finding, Row, at_least, at_most, markdown
from hpo.testing.aws import Aws, AwsSettings

HERE = Path(__file__).parent

MINUTE = 2.0
"""Seconds that stand for a minute of the service; what this machine needs for a trial counts the less."""

START, TRAIN = 3, 2
"""Minutes that new machines take to start, and a trial to train: the case of AWS's article on warm pools."""

POLL = 5.0
"""Seconds of the service between two looks, as by default."""

ALLOWED = 10
"""Requests in any second."""


@dataclass(frozen=True)
class Size:
    """How much is run."""

    trials: int  # on warm machines
    cold: int  # on new ones; what all would take is reckoned from these
    parallel: int
    train_seconds: int  # of each of the parallel ones


FULL = Size(trials=120, cold=30, parallel=100, train_seconds=90)
QUICK = Size(trials=8, cold=4, parallel=20, train_seconds=10)


@contextmanager
def emulator(**settings: object) -> Iterator[Aws]:
    """Give an AWS with a bucket; training jobs are processes."""
    with Aws(AwsSettings(runner="process", **settings)) as aws:  # type: ignore[arg-type]
        aws.client("s3").create_bucket(Bucket="tuning")
        yield aws


def run_job(aws: Aws, program: str, *, limits: Mapping[str, object], **launcher: object) -> float:
    """Run a tuning job to its end, and return the seconds that it took."""
    with tempfile.TemporaryDirectory() as folder:
        spec = {
            "name": "job",
            "strategy": "random",
            "seed": 1,
            "objective": {"metric": "loss", "goal": "minimize"},
            "metrics": {"loss": r"loss=(\S+)"},
            "parameters": {"x": {"type": "continuous", "min": 0.0, "max": 1.0}},
            "limits": limits,
            "launcher": {
                "kind": "sagemaker",
                "image": "image",
                "role": "arn:aws:iam::123456789012:role/training",
                "output": "s3://tuning/hpo",
                "instance_type": "ml.m5.large",
                "command": ["sh", "-c", program, "train"],
                **launcher,
            },
        }
        Path(folder, "spec.yaml").write_text(yaml.safe_dump(spec))
        environment = {name: text for name, text in os.environ.items() if not name.startswith("AWS_")}
        environment |= {**aws.environment, "HPO_HOME": f"{folder}/home"}
        began = time.monotonic()
        command = [sys.executable, "-m", "hpo", "run", "spec.yaml"]
        subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
        return time.monotonic() - began


def warm(slots: int) -> Callable[[Size], Row]:
    """Return what measures the article's case with so many trials at a time."""

    def measure(size: Size) -> Row:
        program = f"sleep {TRAIN * MINUTE}; echo loss=$HPO_TRIAL"
        limits = {"max_jobs": size.trials, "max_parallel_jobs": slots}
        options = {"poll": POLL / 60.0 * MINUTE, "requests_per_second": 100}
        with emulator(start_delay=START * MINUTE) as aws:
            fewer = {**limits, "max_jobs": size.cold}
            cold = run_job(aws, program, limits=fewer, **options) / MINUTE * size.trials / size.cold
        with emulator(start_delay=START * MINUTE) as aws:
            took = run_job(aws, program, limits=limits, keep_alive="30m", **options) / MINUTE
            pools = Counter(entry["WarmPoolStatus"]["Status"] for entry in _every_job(aws))
        ideal_cold, ideal = (START + TRAIN) * size.trials / slots, START + TRAIN * size.trials / slots
        at_a_time = f"{slots} at a time"
        return Row(
            f"{size.trials} trials, {at_a_time}, start {START}, train {TRAIN}",
            (
                at_most(f"{at_a_time}, warm pools, of the arithmetic", took / ideal, 1.15, "times", digits=2),
                at_least(f"{at_a_time}, machines reused", pools["Reused"], size.trials - slots, "", digits=0),
                at_most(f"{at_a_time}, machines left ready at the end", pools["Available"], 0, ""),
            ),
            ("units by arithmetic", "units measured", "of the time without"),
            {
                f"new machines for every trial (from {size.cold})": (f"{ideal_cold:g}", f"{cold:.0f}", ""),
                "warm pools": (f"{ideal:g}", f"{took:.0f}", f"{took / cold:.0%}"),
            },
        )

    return measure


def _every_job(aws: Aws) -> Iterator[Any]:
    pages = aws.client("sagemaker").get_paginator("list_training_jobs").paginate(MaxResults=100)
    for page in pages:
        yield from page["TrainingJobSummaries"]


def rate(size: Size) -> Row:
    """Measure how often AWS is asked for a hundred trials at a time, with the default options."""
    steps = size.train_seconds
    program = f"for step in $(seq {steps}); do echo loss=$step; sleep 1; done"
    with emulator(start_delay=5.0) as aws:
        aws.requests.clear()
        limits = {"max_jobs": size.parallel, "max_parallel_jobs": size.parallel}
        took = run_job(aws, program, limits=limits)
        asked = list(aws.requests)
    times = sorted(request.at for request in asked)
    most = max(bisect.bisect_left(times, start + 1.0) - place for place, start in enumerate(times))
    operations = Counter(f"{request.service} {request.operation}" for request in asked)
    return Row(
        f"{size.parallel} trials of {steps} s at a time, a line a second each",
        (
            at_most(f"{size.parallel} at a time, requests in the busiest second", most, ALLOWED, ""),
            Finding(f"{size.parallel} at a time, requests a second", "", f"{len(times) / took:.1f}"),
        ),
        ("calls",),
        {name: (str(count),) for name, count in operations.most_common()},
        f"The whole job took {took:.0f} s: launching at the pace that is allowed, and {5 + steps} s a trial.",
    )


ROWS: dict[str, Callable[[Size], Row]] = {"warm-one": warm(1), "warm-two": warm(2), "rate": rate}


def main() -> None:
    given = parser(__doc__, ROWS).parse_args()
    compile_package()
    facts = about("boto3", "moto")
    rows = [ROWS[name](QUICK if given.quick else FULL) for name in given.only or ROWS]
    text = markdown("SageMaker, emulated", rows, {**facts, "load average after": load()})
    print(text)
    if given.write:
        (HERE / "results.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
