"""The emulated AWS: a server on this machine, with an account of its own."""

from __future__ import annotations

import random
import socket
import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cached_property
from types import TracebackType
from typing import Any, Self

from hpo.testing.aws.account import ACCESS_KEY, REGION, SECRET_KEY, environment
from hpo.testing.aws.boto_session import session
from hpo.testing.aws.calls import Call
from hpo.testing.aws.containers import Containers
from hpo.testing.aws.faults import Faults
from hpo.testing.aws.gate import Gate, Request
from hpo.testing.aws.log_api import LogApi
from hpo.testing.aws.log_store import LogStore
from hpo.testing.aws.objects import Objects
from hpo.testing.aws.pricing import PricingApi
from hpo.testing.aws.processes import Processes
from hpo.testing.aws.programs import Runner
from hpo.testing.aws.settings import AwsSettings
from hpo.testing.aws.tags import Tags
from hpo.testing.aws.training_api import Operation, TrainingApi
from hpo.testing.aws.tuning_api import TuningApi


class Aws:
    """S3, STS, CloudWatch Logs, pricing and SageMaker's training jobs, which truly run.

    Use it with `with`. Where a process has several, each has its own training jobs, logs and faults, but
    S3 and the other services of moto's, which keeps its state in the process, are one: starting or
    resetting one empties them for all. Raises OSError where it cannot listen on the port, RuntimeError
    where a Docker engine is demanded and none answers.
    """

    def __init__(self, settings: AwsSettings | None = None) -> None:
        self.settings = settings or AwsSettings()
        self.starts: Counter[str] = Counter()
        """How often the program of a training job was really started, by the job's name."""
        self.endpoint = ""
        self._gate: Gate | None = None
        self._http: Any = None
        self._thread: threading.Thread | None = None
        self._runner: Runner | None = None
        self._objects: Objects | None = None
        self._training: TrainingApi | None = None
        self._tuning = TuningApi()
        self._tags = Tags()

    def __enter__(self) -> Self:
        try:
            self._listen()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which boto3 finds this AWS."""
        return environment(self.endpoint)

    @property
    def requests(self) -> list[Request]:
        """Every request so far, in the order of the answers."""
        return [] if self._gate is None else self._gate.requests

    def client(self, service: str, **more: Any) -> Any:
        """Return a boto3 client of this AWS; nothing of the caller's environment counts."""
        return self._session.client(service, endpoint_url=self.endpoint, **more)

    @cached_property
    def _session(self) -> Any:
        """A session of boto3's, which reads what a service is like once for all clients."""
        return session(ACCESS_KEY, SECRET_KEY)

    def running(self) -> list[str]:
        """Return the names of the training jobs that have not ended."""
        return self._trained().running()

    def interrupt(self, name: str) -> None:
        """Take the machines from a managed spot job now. Raises ValueError where none of this name runs."""
        self._trained().interrupt(name)

    def add_tuning_job(
        self,
        describe: Mapping[str, Any],
        trials: Iterable[Mapping[str, Any]],
        *,
        tags: Iterable[Mapping[str, str]] = (),
    ) -> None:
        """Have a hyperparameter tuning job that can be read.

        `describe` is what DescribeHyperParameterTuningJob answers, `trials` are the rows of
        ListTrainingJobsForHyperParameterTuningJob; times are datetimes or seconds since the epoch. Missing
        ARNs are filled in. Raises ValueError where the API could not answer so.
        """
        self._tags.add(self._tuning.add(describe, trials), tags)

    def reset(self) -> None:
        """End every training job, and forget all that there is; the settings stay."""
        assert self._gate is not None  # noqa: S101 - within `with`
        self._gate.faults = None
        self._end_jobs()
        self._begin()

    def close(self) -> None:
        """End every training job and the server; nothing of them is left."""
        if self._gate is not None:
            self._gate.faults = None
        self._end_jobs()
        if self._objects is not None:
            self._objects.close()
        if self._runner is not None:
            self._runner.close()
        if self._http is not None and self._thread is not None:
            self._http.shutdown()
            self._thread.join()
            self._http.server_close()

    def _listen(self) -> None:
        from moto.moto_server.werkzeug_app import (
            DomainDispatcherApplication,
            MotoRequestHandler,
            create_backend_app,
        )
        from werkzeug.serving import make_server

        class Quiet(MotoRequestHandler):
            """Answers without a line on stderr for each request."""

            protocol_version = "HTTP/1.1"

            def log_request(self, code: int | str = "-", size: int | str = "-") -> None:  # noqa: ARG002
                return

        self._gate = Gate(DomainDispatcherApplication(create_backend_app))
        with socket.create_server(("127.0.0.1", self.settings.port)) as listening:
            # Given a port, it would end this program where the port is in use.
            fd, port = listening.fileno(), listening.getsockname()[1]
            self._http = make_server(
                "127.0.0.1", port, self._gate, threaded=True, request_handler=Quiet, fd=fd
            )
        self.endpoint = f"http://127.0.0.1:{port}"
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self._thread.start()
        self._objects = Objects(self.endpoint)
        self._runner = self._run_with()
        self._begin()

    def _run_with(self) -> Runner:
        region = {"AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION}
        if self.settings.runner != "process":
            from docker.errors import DockerException

            try:
                containers = Containers(region, mounts=self.settings.mounts)
            except DockerException as error:
                if self.settings.runner == "docker":
                    raise RuntimeError(f"no Docker engine answers: {error}") from None
            else:
                if containers.answers():
                    return containers
                containers.close()
                if self.settings.runner == "docker":
                    raise RuntimeError("no Docker engine answers; start it, or use the runner process")
        return Processes(self.environment | region)

    def _begin(self) -> None:
        """Have an empty account."""
        from moto.moto_api._internal.models import moto_api_backend

        assert self._gate is not None and self._runner is not None and self._objects is not None  # noqa: S101, PT018
        moto_api_backend.reset()
        chance = random.Random(self.settings.seed)  # noqa: S311 - faults, no secrets
        logs = LogStore(self.settings, chance)
        self._tags, self._tuning = Tags(), TuningApi()
        self.starts.clear()
        self._training = TrainingApi(
            self.settings,
            runner=self._runner,
            objects=self._objects,
            logs=logs,
            tags=self._tags,
            starts=self.starts,
            chance=chance,
        )
        self._logs, self._pricing = LogApi(logs), PricingApi()
        self._gate.requests.clear()
        self._gate.answer = self._answer
        self._gate.faults = Faults(self.settings, chance)

    def _answer(self, call: Call) -> Mapping[str, Any] | None:
        """Return the answer to a call; None where moto is to give it."""
        if call.document is None:
            return None
        operation: Operation | None = None
        match call.service:
            case "sagemaker":
                name = call.document.get("TrainingJobName")
                if call.operation == "DescribeTrainingJob" and (trial := self._tuning.trial(str(name))):
                    return trial
                if call.operation in self._tags.operations:
                    if self._tags.is_own(call.document):
                        operation = self._tags.operations[call.operation]
                else:
                    operation = (self._trained().operations | self._tuning.operations).get(call.operation)
            case "logs" if self._logs.is_own(call.document):
                operation = self._logs.operations.get(call.operation)
            case "pricing":
                operation = self._pricing.operations.get(call.operation)
            case _:  # moto's
                pass
        return None if operation is None else operation(call.document)

    def _trained(self) -> TrainingApi:
        assert self._training is not None  # noqa: S101 - within `with`
        return self._training

    def _end_jobs(self) -> None:
        if self._training is not None:
            self._training.close()
