"""The emulated AWS from a shell: `python -m hpo.testing.aws [options] [-- command …]`."""

from __future__ import annotations

import argparse
import dataclasses
import os
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress

from hpo.testing.aws.account import ACCOUNT, OWN_ACCESS_KEY, REGION
from hpo.testing.aws.boto_session import session
from hpo.testing.aws.server import Aws
from hpo.testing.aws.settings import AwsSettings, Fault

_INTEGERS = ("port", "seed")
_NUMBERS = (
    "start_delay",
    "warm_start_delay",
    "pending_delay",
    "download_delay",
    "upload_delay",
    "stop_grace",
    "log_delay",
    "log_shuffle",
    "log_shuffle_delay",
    "time_scale",
    "spot_share",
    "internal_errors",
    "spot_interruption_delay",
    "throttling",
    "server_errors",
    "s3_errors",
)


def main(argv: Sequence[str]) -> int:
    """Run the emulator, until a command has ended or it is interrupted, and return the exit status."""
    argv, command = _split(list(argv))
    parser = _parser()
    try:
        settings = _settings(parser.parse_args(argv))
    except ValueError as error:
        parser.error(str(error))
    try:
        with Aws(settings) as aws:
            _make_bucket(aws)
            return _run(command, aws) if command else _serve(aws)
    except (OSError, RuntimeError) as error:
        print(f"hpo.testing.aws cannot start: {error}", file=sys.stderr)
    return 1


def _split(argv: list[str]) -> tuple[list[str], list[str]]:
    if "--" not in argv:
        return argv, []
    at = argv.index("--")
    return argv[:at], argv[at + 1 :]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m hpo.testing.aws",
        usage="%(prog)s [options] [-- command ...]",
        description="An AWS on this machine whose SageMaker truly runs training jobs. Without a command it "
        "runs until Ctrl-C; with one, the command gets the variables that lead to it, and its exit status is "
        "returned.",
    )
    defaults = AwsSettings()
    for names, kind in ((_INTEGERS, int), (_NUMBERS, float)):
        for name in names:
            default = getattr(defaults, name)
            parser.add_argument(
                _option(name), type=kind, default=default, metavar="N", help=f"default: {default}"
            )
    parser.add_argument("--runner", choices=["auto", "docker", "process"], default=defaults.runner)
    parser.add_argument("--no-toolkit", action="store_true", help="leave script mode to the image")
    parser.add_argument("--spot-interruptions", type=float, default=0.0, metavar="FRACTION")
    parser.add_argument("--quota", action="append", default=[], metavar="TYPE=N", help="instances of a type")
    parser.add_argument(
        "--capacity", action="append", default=[], metavar="TYPE=N", help="jobs that find none"
    )
    parser.add_argument("--rate", action="append", default=[], metavar="OPERATION=N", help="calls a second")
    parser.add_argument("--fault", action="append", default=[], metavar="OPERATION=FAULT", help=_faults())
    parser.add_argument(
        "--deny", action="append", default=[], metavar="OPERATION", help="a permission that lacks"
    )
    parser.add_argument("--expired", action="store_true", help="the credentials have expired")
    return parser


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _faults() -> str:
    return f"befalls its next call: {', '.join(fault.value for fault in Fault)}"


def _settings(options: argparse.Namespace) -> AwsSettings:
    given = {name: getattr(options, name) for name in (*_INTEGERS, *_NUMBERS)}
    settings = dataclasses.replace(AwsSettings(runner=options.runner), **given)
    settings.toolkit = not options.no_toolkit
    settings.spot_interruptions = options.spot_interruptions
    settings.quotas = {name: int(count) for name, count in map(_pair, options.quota)}
    settings.capacity = {name: int(count) for name, count in map(_pair, options.capacity)}
    settings.rates = {name: float(rate) for name, rate in map(_pair, options.rate)}
    for operation, fault in map(_pair, options.fault):
        settings.faults.setdefault(operation, []).append(Fault(fault))
    settings.denied = set(options.deny)
    settings.expired = options.expired
    return settings


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.rpartition("=")
    if not equals:
        raise ValueError(f"{text} is no NAME=VALUE")
    return name, value


def _make_bucket(aws: Aws) -> None:
    """Have the bucket that an account has where SageMaker's SDK or console was ever used."""
    client = session(OWN_ACCESS_KEY, OWN_ACCESS_KEY).client("s3", endpoint_url=aws.endpoint)
    client.create_bucket(Bucket=f"sagemaker-{REGION}-{ACCOUNT}")
    client.close()


def _serve(aws: Aws) -> int:
    """Say how to get here, and stay until a signal."""
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    for name, value in aws.environment.items():
        print(f"export {name}={shlex.quote(value)}")
    sys.stdout.flush()
    ended.wait()
    return 0


def _run(command: Sequence[str], aws: Aws) -> int:
    """Run a command that is led here; a signal is the command's to answer."""
    try:
        others = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        process = subprocess.Popen(command, env={**others, **aws.environment})
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr)
        return 127

    def pass_on(number: int, _: object) -> None:
        with suppress(ProcessLookupError):
            process.send_signal(number)

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends it to both
    signal.signal(signal.SIGTERM, pass_on)
    status = process.wait()
    return 128 - status if status < 0 else status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
