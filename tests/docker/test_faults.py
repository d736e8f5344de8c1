"""What happens to containers and their engine while a job runs: nothing is lost, nothing runs twice."""

from __future__ import annotations

import json
import random
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from tests import docker_engine
from tests.command_line import Hpo
from tests.docker import own_engine
from tests.docker.firewall import Firewall
from tests.docker.own_engine import OwnEngine
from tests.docker_engine import IMAGE

pytestmark = pytest.mark.docker

Eventually = Callable[[Callable[[], object]], None]

PROGRAM = """
echo "$HPO_TRIAL $HPO_RUN" >> /shared/started
for step in 1 2 3 4 5; do echo "loss=$step.$HPO_TRIAL"; echo "aside $step" >&2; sleep 0.1; done
"""

LINES = 5
"""Values that each run prints."""


def launcher(hpo: Hpo, **options: object) -> dict[str, object]:
    """Return the section of a spec that runs train.sh in containers, which share the test's folder."""
    return {
        "kind": "docker",
        "image": IMAGE,
        "command": ["sh", "/shared/train.sh"],
        "mounts": [f"{hpo.folder}:/shared"],
        "network": "none",
        "pull": "never",
        **options,
    }


def containers(hpo: Hpo, *docker: str) -> list[str]:
    """Return the containers that belong to this folder."""
    listing = [*(docker or ["docker"]), "ps", "--all", "--filter", "label=io.hpo.folder", "--format"]
    said = subprocess.run(
        [*listing, '{{.Names}} {{.Label "io.hpo.folder"}}'], check=True, capture_output=True, text=True
    )
    return [line for line in said.stdout.splitlines() if str(hpo.home) in line]


def assert_complete(hpo: Hpo, trials: int) -> None:
    """Assert that every trial has completed, with each of its values once."""
    status = hpo("status", "job", "--json").json
    assert (status["status"], status["counts"]["completed"]) == ("completed", trials)
    listed = hpo("trials", "job", "--json").json
    assert [trial["value"] for trial in listed] == [float(f"{LINES}.{n}") for n in range(1, trials + 1)]
    for trial in listed:
        place = hpo.home / "jobs/job/trials" / f"{trial['trial']:04d}"
        log = (max(place.glob("run-*")) / "log").read_text().splitlines()
        assert [line for line in log if "loss" in line] == [
            f"loss={step}.{trial['trial']}" for step in range(1, LINES + 1)
        ]
        assert [line for line in log if "aside" in line] == [f"aside {s}" for s in range(1, LINES + 1)]


@pytest.mark.parametrize(
    "seed", [*range(2), *(pytest.param(s, marks=pytest.mark.slow) for s in range(2, 24))]
)
def test_acceptance_15_a_killed_tuner_loses_no_container_and_starts_none_twice(hpo: Hpo, seed: int) -> None:
    rng, trials = random.Random(seed), 6
    hpo.job(PROGRAM, launcher=launcher(hpo), limits={"max_jobs": trials, "max_parallel_jobs": 3})
    command = ["run", "spec.yaml", "--or-resume"]
    for _ in range(3):
        process = hpo.start(*command)
        try:
            process.wait(timeout=rng.uniform(0.2, 2.5))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        process.wait()
    hpo(*command)
    started = Counter((hpo.folder / "started").read_text().splitlines())
    assert started == {f"{number} 1": 1 for number in range(1, trials + 1)}
    assert_complete(hpo, trials)
    assert not containers(hpo)


def test_a_container_that_is_killed_fails_its_trial_only(hpo: Hpo, eventually: Eventually) -> None:
    hpo.job(
        'echo here; [ "$HPO_TRIAL" = 2 ] && sleep 60; echo loss=1',
        launcher=launcher(hpo),
        limits={"max_jobs": 3},
    )
    process = hpo.start("run", "spec.yaml")
    eventually(lambda: any("-0002-" in each for each in containers(hpo)))
    name = next(each.split()[0] for each in containers(hpo) if "-0002-" in each)
    eventually(lambda: "here" in hpo.text("state/jobs/job/trials/0002/run-1/log"))
    subprocess.run(["docker", "kill", name], check=True, capture_output=True)
    assert process.wait() == 0
    trials = hpo("trials", "job", "--json").json
    assert [trial["status"] for trial in trials] == ["completed", "failed", "completed"]
    assert trials[1]["reason"] == "signal"
    assert "SIGKILL" in trials[1]["detail"]
    assert not containers(hpo)


def test_a_container_that_is_removed_is_lost_and_launched_again(hpo: Hpo, eventually: Eventually) -> None:
    program = 'echo "$HPO_TRIAL $HPO_RUN" >> /shared/started\n[ -e /shared/removed ] || sleep 60; echo loss=1'
    hpo.job(program, launcher=launcher(hpo), limits={"max_jobs": 2})
    process = hpo.start("run", "spec.yaml")
    eventually(lambda: hpo.text("started"))
    hpo.write("removed", "")
    name = next(each.split()[0] for each in containers(hpo) if "-0001-" in each)
    subprocess.run(["docker", "rm", "--force", name], check=True, capture_output=True)
    assert process.wait() == 0
    assert hpo.text("started").split("\n")[:-1] == ["1 1", "1 2", "2 1"]
    trials = hpo("trials", "job", "--json").json
    assert [(trial["status"], trial["attempts"]) for trial in trials] == [("completed", 2), ("completed", 1)]
    assert not containers(hpo)


def test_the_next_container_is_created_while_the_current_one_runs(hpo: Hpo, eventually: Eventually) -> None:
    program = "until [ -e /shared/go ]; do sleep 0.05; done; echo loss=1.$HPO_TRIAL"
    hpo.job(program, launcher=launcher(hpo), limits={"max_jobs": 3})
    process = hpo.start("run", "spec.yaml")
    eventually(lambda: len(containers(hpo)) == 2)
    eventually(lambda: sorted(containers(hpo))[1].startswith("hpo-job-0002-1-"))
    process.send_signal(signal.SIGKILL)
    process.wait()
    hpo.write("go", "")
    hpo("resume", "job")
    assert [t["value"] for t in hpo("trials", "job", "--json").json] == [1.1, 1.2, 1.3]
    assert not containers(hpo)


def test_a_container_that_was_created_for_nothing_is_removed(hpo: Hpo, eventually: Eventually) -> None:
    hpo.job("sleep 60", launcher=launcher(hpo, stop_grace=1), limits={"max_jobs": 3})
    process = hpo.start("run", "spec.yaml")
    eventually(lambda: len(containers(hpo)) == 2)
    process.send_signal(signal.SIGINT)
    assert process.wait() == 130
    assert not containers(hpo)
    assert not (hpo.home / "jobs/job/trials/0002/run-1").exists()


# -- with an engine of its own


@pytest.fixture(scope="module", params=[False])
def shared_engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OwnEngine]:
    if why := own_engine.missing():
        (pytest.fail if docker_engine.is_required() else pytest.skip)(why)
    own = OwnEngine(tmp_path_factory.mktemp("engine") / "own", live_restore=request.param)
    yield own
    own.close()


@pytest.fixture
def engine(shared_engine: OwnEngine) -> OwnEngine:
    """An engine that may be stopped; at the beginning of each test it runs, and has the image."""
    shared_engine.make_ready()
    return shared_engine


@pytest.fixture
def on(hpo: Hpo, engine: OwnEngine, monkeypatch: pytest.MonkeyPatch) -> Hpo:
    """The command line, on the engine of the test's own."""
    monkeypatch.setenv("DOCKER_HOST", engine.address)
    return hpo


SLOW_PROGRAM = PROGRAM.replace("sleep 0.1", "sleep 1")


def test_an_engine_that_is_restarted_takes_its_containers_along_and_they_run_again(
    on: Hpo, engine: OwnEngine, eventually: Eventually
) -> None:
    on.job(SLOW_PROGRAM, launcher=launcher(on), limits={"max_jobs": 3, "max_parallel_jobs": 2})
    process = on.start("run", "spec.yaml", "--json")
    eventually(lambda: "loss=2.1" in on.text("state/jobs/job/trials/0001/run-1/log"))
    engine.stop()
    eventually(lambda: on("status", "job", "--json").json["waiting"])
    waiting = on("status", "job", "--json").json["waiting"]
    assert all("does not answer" in each["reason"] for each in waiting)
    engine.start()
    assert process.wait() == 0
    assert_complete(on, 3)
    attempts = [trial["attempts"] for trial in on("trials", "job", "--json").json]
    assert attempts == [2, 2, 1]
    assert Counter(on.text("started").splitlines()) == dict.fromkeys(["1 1", "2 1", "1 2", "2 2", "3 1"], 1)
    assert not containers(on, "docker", "--host", engine.address)


@pytest.mark.parametrize("shared_engine", [True], indirect=True)
def test_containers_that_outlive_their_engine_are_followed_again(
    on: Hpo, engine: OwnEngine, eventually: Eventually
) -> None:
    on.job(SLOW_PROGRAM, launcher=launcher(on), limits={"max_jobs": 3, "max_parallel_jobs": 2})
    process = on.start("run", "spec.yaml")
    eventually(lambda: "loss=2.1" in on.text("state/jobs/job/trials/0001/run-1/log"))
    engine.stop()
    eventually(lambda: "does not answer" in on.text("err") + on.text("out"))
    engine.start()
    assert process.wait() == 0
    assert_complete(on, 3)
    assert Counter(on.text("started").splitlines()) == {"1 1": 1, "2 1": 1, "3 1": 1}
    assert not containers(on, "docker", "--host", engine.address)


def test_a_tuner_and_its_engine_may_both_go_down(on: Hpo, engine: OwnEngine, eventually: Eventually) -> None:
    on.job(SLOW_PROGRAM, launcher=launcher(on), limits={"max_jobs": 2, "max_parallel_jobs": 2})
    process = on.start("run", "spec.yaml")
    eventually(lambda: "loss=2.1" in on.text("state/jobs/job/trials/0001/run-1/log"))
    process.kill()
    process.wait()
    engine.stop()
    engine.start()
    on("resume", "job")
    assert_complete(on, 2)
    assert [trial["attempts"] for trial in on("trials", "job", "--json").json] == [2, 2]


def test_an_image_that_vanishes_is_told_of(on: Hpo, engine: OwnEngine, eventually: Eventually) -> None:
    on.job("sleep 2; echo loss=1", launcher=launcher(on), limits={"max_jobs": 2}, strategy="bayesian")
    process = on.start("run", "spec.yaml")
    eventually(lambda: engine("ps", "--quiet"))
    engine("rmi", "--force", IMAGE)
    process.wait()
    first, second = on("trials", "job", "--json").json
    assert first["status"] == "completed"
    assert (second["status"], second["reason"]) == ("failed", "could not start")
    assert f"no image {IMAGE}" in second["detail"]


def test_an_engine_that_is_away_at_the_start_is_told_of_before_anything_starts(
    on: Hpo, engine: OwnEngine
) -> None:
    on.job("echo loss=1", launcher=launcher(on))
    engine.stop()
    said = on.refused("run", "spec.yaml")
    assert f"the Docker engine at {engine.address} does not answer" in said


@pytest.mark.slow  # a connection counts as cut after two looks, 15 seconds apart
def test_a_connection_that_is_cut_without_a_word_loses_nothing(
    hpo: Hpo, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Firewall() as firewall:
        monkeypatch.setenv("DOCKER_HOST", firewall.address)
        hpo.job(SLOW_PROGRAM, launcher=launcher(hpo), limits={"max_jobs": 1})
        process = hpo.start("run", "spec.yaml")
        eventually(lambda: "loss=2.1" in hpo.text("state/jobs/job/trials/0001/run-1/log"))
        firewall.cut()
        assert process.wait() == 0
        assert_complete(hpo, 1)
        assert hpo.text("started") == "1 1\n"
    monkeypatch.delenv("DOCKER_HOST")
    assert not containers(hpo)


# -- the disk


def test_a_full_disk_ends_the_tuner_and_not_the_job(hpo: Hpo, eventually: Eventually) -> None:
    """The state folder lies on a small disk, which another program fills."""
    hpo.home.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(hpo.home)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a small disk cannot be mounted here")
    try:
        program = "head -c 4000000 /dev/zero | tr '\\0' x | fold -w 100; echo loss=1.$HPO_TRIAL"
        hpo.job(program, launcher=launcher(hpo), limits={"max_jobs": 1})
        said = hpo("run", "spec.yaml", status=1).err
        assert "no space is left" in said
        assert "hpo resume" in said
        subprocess.run(["mount", "-o", "remount,size=20m", str(hpo.home)], check=True)
        hpo("resume", "job")
        assert [t["value"] for t in hpo("trials", "job", "--json").json] == [1.1]
        assert json.dumps(hpo("status", "job", "--json").json["counts"]["completed"]) == "1"
        assert not containers(hpo)
    finally:
        subprocess.run(["umount", "--lazy", str(hpo.home)], check=True)
