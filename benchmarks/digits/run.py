"""Bayesian against random search on the quickstart's job: real trials, started by `hpo run`.

Prints a Markdown table of each seed's best macro F1; `--write` puts it into results.md as well.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

HERE = Path(__file__).resolve().parent
SPEC = HERE.parents[1] / "examples" / "quickstart" / "tune.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is run."""

    seeds: int
    jobs: int
    parallel: int


@dataclass(frozen=True, slots=True)
class Pair:
    """The best objective of both strategies with one seed."""

    seed: int
    random: float
    bayesian: float

    @property
    def winner(self) -> str:
        """Return the strategy with the better result."""
        if self.bayesian == self.random:
            return "tie"
        return "bayesian" if self.bayesian > self.random else "random"


def main() -> None:
    size, write = parse_arguments()
    with TemporaryDirectory(prefix="hpo-digits-") as home:
        environment = environment_of(Path(home))
        pairs = [run_pair(seed, size, environment) for seed in range(1, size.seeds + 1)]
    text = page(pairs, size)
    print(text, end="")
    if write:
        (HERE / "results.md").write_text(text, encoding="utf-8")


def parse_arguments() -> tuple[Size, bool]:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=8, help="seeds 1, 2, … up to this one (default 8)")
    parser.add_argument("--jobs", type=int, default=50, help="trials of each tuning job (default 50)")
    parser.add_argument("--parallel", type=int, default=2, help="trials at a time (default 2)")
    parser.add_argument("--write", action="store_true", help="write results.md")
    given = parser.parse_args()
    return Size(seeds=given.seeds, jobs=given.jobs, parallel=given.parallel), given.write


def environment_of(home: Path) -> dict[str, str]:
    """Keep jobs in `home`, and let the spec's `python` be the one that runs this."""
    programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    return {**os.environ, "HPO_HOME": str(home), "PATH": programs}


def run_pair(seed: int, size: Size, environment: Mapping[str, str]) -> Pair:
    pair = Pair(
        seed,
        random=best_of("random", seed, size, environment),
        bayesian=best_of("bayesian", seed, size, environment),
    )
    print(f"seed {seed}: random {pair.random:.4f}, bayesian {pair.bayesian:.4f}", file=sys.stderr, flush=True)
    return pair


def best_of(strategy: str, seed: int, size: Size, environment: Mapping[str, str]) -> float:
    """Run a tuning job to its end and return its best objective."""
    name = f"{strategy}-{seed}"
    settings = [
        f"strategy={strategy}",
        f"seed={seed}",
        f"limits.max_jobs={size.jobs}",
        f"limits.max_parallel_jobs={size.parallel}",
    ]
    overrides = [part for setting in settings for part in ("--set", setting)]
    hpo(["run", str(SPEC), "--name", name, *overrides], environment)
    counts = json.loads(hpo(["status", name, "--json"], environment))["counts"]
    if counts["completed"] != size.jobs:
        sys.exit(f"{name}: not all of the {size.jobs} trials completed: {counts}")
    return float(json.loads(hpo(["best", name, "--json"], environment))["value"])


def hpo(arguments: list[str], environment: Mapping[str, str]) -> str:
    """Return what `hpo` wrote to stdout; end with its stderr where it failed."""
    command = [sys.executable, "-m", "hpo", *arguments]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        sys.exit(f"hpo {' '.join(arguments)} ended with status {ended.returncode}:\n{ended.stderr}")
    return ended.stdout


def page(pairs: list[Pair], size: Size) -> str:
    """Return the results in Markdown."""
    table = "\n".join(f"| {p.seed} | {p.random:.4f} | {p.bayesian:.4f} | {p.winner} |" for p in pairs)
    medians = f"{median(pair.random for pair in pairs):.4f} | {median(pair.bayesian for pair in pairs):.4f}"
    wins = sum(pair.winner == "bayesian" for pair in pairs)
    options = f"--seeds {size.seeds} --jobs {size.jobs} --parallel {size.parallel}"
    versions = ", ".join(f"{name} {version(name)}" for name in ("hpo", "optuna", "scikit-learn"))
    return f"""\
# Bayesian against random search: a random forest on digits

The best macro F1 of {size.jobs} trials of `examples/quickstart`, {size.parallel} at a time.

| seed | random | bayesian | better |
|---|---|---|---|
{table}
| **median** | {medians} | bayesian in {wins} of {len(pairs)} |

Measured by `python benchmarks/digits/run.py {options}` with {versions},
Python {platform.python_version()}, {platform.system()} {platform.machine()}.
"""


if __name__ == "__main__":
    main()
