"""The floor: start the programs, wait for their ends, read what they printed, and nothing else.

floor.py TRIALS PARALLEL FOLDER PROGRAM [ARGUMENT…]
"""

import os
import sys
import time


def main() -> None:
    trials, parallel, folder, program = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:]
    logs: dict[int, str] = {}
    started = 0
    while started < trials or logs:
        while started < trials and len(logs) < parallel:
            started += 1
            log = f"{folder}/{started}.log"
            logs[_start(program, log)] = log
        _read(logs.pop(os.wait()[0]))
    now = time.time()
    utc = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
    print(f'{{"time": "{utc}.{int(now % 1 * 1000):03}Z"}}')


def _start(program: list[str], log: str) -> int:
    output = os.open(log, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o644)
    pid = os.posix_spawnp(
        program[0], program, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, output, 1)], setpgroup=0
    )
    os.close(output)
    return pid


def _read(log: str) -> None:
    file = os.open(log, os.O_RDONLY)
    while os.read(file, 1 << 20):
        pass
    os.close(file)


main()
