"""Containers without hpo: a thread for each slot, started again for each container.

bare.py docker|api TRIALS PARALLEL NETWORK FOLDER IMAGE PROGRAM [ARGUMENT…]

`docker` is the command `docker run --rm`, `api` the bare calls of Docker's SDK. The containers are those
that hpo asks for, with its init process, capabilities, log driver, user and number of mounts.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from docker.api.client import APIClient
from docker.utils.socket import frames_iter

from hpo.launchers.docker.request import Bind, ContainerRequest

PREFIX = "hpo-benchmark"


def main() -> None:
    way, trials, parallel = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    network, folder, image, program = sys.argv[4], Path(sys.argv[5]), sys.argv[6], sys.argv[7:]
    run = _docker_run if way == "docker" else _api(parallel)

    def one(number: int) -> float:
        return run(_request(number, network, folder, image, program), folder / f"{number}.log")

    with ThreadPoolExecutor(parallel) as threads:
        last = max(threads.map(one, range(trials)))
    print(json.dumps({"time": datetime.fromtimestamp(last, tz=UTC).isoformat()}))


def _request(number: int, network: str, folder: Path, image: str, program: list[str]) -> ContainerRequest:
    ml, checkpoints = folder / str(number) / "ml", folder / str(number) / "checkpoints"
    for path in (ml, checkpoints):
        path.mkdir(parents=True)
    return ContainerRequest(
        f"{PREFIX}-{os.getpid()}-{number}",
        image,
        command=program,
        env={"MARKS": os.environ["MARKS"]},
        binds=[
            Bind(str(ml), "/opt/ml"),
            Bind(str(checkpoints), "/opt/ml/checkpoints"),
            Bind(str(folder), str(folder)),
        ],
        user=f"{os.getuid()}:{os.getgid()}",
        network=network,
    )


def _docker_run(request: ContainerRequest, log: Path) -> float:
    """Run a container to its end, and return when that was."""
    docker, run, *rest = shlex.split(request.command_line())
    options = ["--rm", "--log-driver", "local", "--log-opt", "max-size=1024g"]
    options += ["--log-opt", "max-file=1", "--log-opt", "compress=false"]
    with log.open("wb") as output:
        subprocess.run([docker, run, *options, *rest], stdout=output, stderr=output, check=True)
    return time.time()


def _api(connections: int) -> Callable[[ContainerRequest, Path], float]:
    client = APIClient(version="auto", max_pool_size=2 * connections)

    def run(request: ContainerRequest, log: Path) -> float:
        container = client.create_container_from_config(request.body(), request.name)["Id"]
        try:
            output = client.attach_socket(container, {"stdout": 1, "stderr": 1, "stream": 1})
            client.start(container)
            with log.open("wb", buffering=0) as file:
                for _, piece in frames_iter(output, tty=False):
                    file.write(piece)
            output.close()
            if status := client.wait(container)["StatusCode"]:
                raise RuntimeError(f"{container} ended with {status}")
            return time.time()
        finally:
            client.remove_container(container, v=True, force=True)

    return run


if __name__ == "__main__":
    main()
