"""What is asked of AWS: paced, tried again where that may help, and answered in frozen values."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

from hpo.errors import CannotStart
from hpo.launchers.sagemaker.answers import Described, LogEvent, LogPage, PoolStatus, Summary
from hpo.launchers.sagemaker.faults import Fault, LoginNeeded, Throttled, Unanswered, Unknown, fault
from hpo.launchers.sagemaker.options import SageMakerOptions
from hpo.launchers.sagemaker.pace import Operation, Pace

LOG_GROUP = "/aws/sagemaker/TrainingJobs"

_ATTEMPTS = 6
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 20.0
"""Tries of one call, and the seconds between them at the most: doubled from the first, any part of it."""

_THREADS = 16
_PATIENCE = 20
"""Seconds without a byte after which a connection is given up."""

_PAGE = 100
"""Training jobs of one answer at the most."""

_T = TypeVar("_T")


def session(options: SageMakerOptions, *, region: str | None = None) -> Any:
    """Return a session of boto3's, by its own rules where the spec says nothing. Raises CannotStart."""
    try:
        import boto3
        from botocore.exceptions import BotoCoreError
    except ImportError as error:
        raise CannotStart("SageMaker needs boto3: pip install 'hpo[aws]'") from error
    try:
        return boto3.Session(profile_name=options.profile, region_name=region or options.region)
    except BotoCoreError as error:
        raise fault(error, "a session") from error


def client(options: SageMakerOptions, service: str, *, attempts: int = 6, region: str | None = None) -> Any:
    """Return a client of one of AWS's services, which tries each call so often. Raises Fault, CannotStart."""
    made = session(options, region=region)
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError

    config = Config(
        connect_timeout=_PATIENCE,
        read_timeout=_PATIENCE,
        max_pool_connections=_THREADS,
        retries={"total_max_attempts": attempts, "mode": "standard"},
    )
    try:
        return made.client(service, endpoint_url=options.endpoint, config=config)
    except (BotoCoreError, ValueError) as error:  # ValueError: of an endpoint that is no address
        raise fault(error, service) from error


class Api:
    """SageMaker's training jobs and their logs; every call waits for its turn."""

    def __init__(self, options: SageMakerOptions) -> None:
        self._options = options
        self._pace = Pace(options.requests_per_second)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="sagemaker")
        self._turn = threading.Lock()
        self._clients: dict[str, Any] = {}
        self.now = 0.0  # AWS's own clock, as it last told it

    async def create(self, body: Mapping[str, object]) -> None:
        """Create a training job. Raises NameTaken, QuotaReached and the other faults."""
        await self._ask(Operation.CREATE, lambda client: client.create_training_job(**body))

    async def describe(self, name: str) -> Described | None:
        """Return a training job; None where there is none of that name."""
        try:
            ask = Operation.DESCRIBE
            answer = await self._ask(ask, lambda client: client.describe_training_job(TrainingJobName=name))
        except Unknown:
            return None
        return Described.of(answer)

    async def changed(self, prefix: str, *, since: float) -> list[Summary]:
        """Return the training jobs whose name has this in it and that changed after a time of AWS's."""
        return await self._list(prefix, LastModifiedTimeAfter=datetime.fromtimestamp(since, UTC))

    async def pools(self, prefix: str) -> list[Summary]:
        """Return the training jobs whose name has this in it and whose machines are ready."""
        return await self._list(prefix, WarmPoolStatusEquals=PoolStatus.AVAILABLE.value)

    async def reused(self, prefix: str, *, since: float | None) -> list[Summary]:
        """Return those on whose machines a later one has got; with `since` those created from then on."""
        only: dict[str, object] = {"WarmPoolStatusEquals": PoolStatus.REUSED.value}
        if since is not None:
            only["CreationTimeAfter"] = datetime.fromtimestamp(since - 1.0, UTC)
        return await self._list(prefix, **only)

    async def stop(self, name: str) -> None:
        """Stop a training job; does nothing to one that has ended, or never was."""
        await self._unless_ended(
            Operation.STOP, lambda client: client.stop_training_job(TrainingJobName=name)
        )

    async def release(self, name: str) -> None:
        """Give back the machines that a training job left ready; does nothing where there are none."""
        resources = {"KeepAlivePeriodInSeconds": 0}
        await self._unless_ended(
            Operation.UPDATE,
            lambda client: client.update_training_job(TrainingJobName=name, ResourceConfig=resources),
        )

    async def streams(self, name: str) -> list[str]:
        """Return the log streams of a training job, one a machine; none before the first line."""
        try:
            answer = await self._ask(
                Operation.STREAMS,
                lambda client: client.describe_log_streams(
                    logGroupName=LOG_GROUP, logStreamNamePrefix=f"{name}/"
                ),
            )
        except Unknown:
            return []
        return sorted(stream["logStreamName"] for stream in answer["logStreams"])

    async def events(self, stream: str, *, token: str = "", since: int | None = None) -> LogPage:
        """Return the next events of a stream: behind a token, or from a time on, or from its beginning."""
        where: dict[str, object] = {"logGroupName": LOG_GROUP, "logStreamName": stream, "startFromHead": True}
        if token:
            where["nextToken"] = token
        if since is not None:
            where["startTime"] = since
        try:
            answer = await self._ask(Operation.EVENTS, lambda client: client.get_log_events(**where))
        except Unknown:
            return LogPage((), token)
        events = tuple(LogEvent(event["timestamp"], event["message"]) for event in answer["events"])
        return LogPage(events, answer.get("nextForwardToken") or token)

    async def pages(self, stream: str) -> AsyncIterator[LogPage]:
        """Yield all that a stream holds, from its beginning."""
        token = ""
        while True:
            page = await self.events(stream, token=token)
            yield page
            if page.token == token:
                return
            token = page.token

    async def in_thread(self, function: Callable[[], _T]) -> _T:
        """Do something that waits, without holding up the rest."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, function)

    def close(self) -> None:
        """Let go of the connections."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for each in self._clients.values():
            each.close()

    async def _list(self, prefix: str, **only: object) -> list[Summary]:
        found: dict[str, Summary] = {}
        asked: dict[str, object] = {"NameContains": prefix, "MaxResults": _PAGE, **only}
        while True:
            answer = await self._ask(Operation.LIST, lambda client: client.list_training_jobs(**asked))
            found |= {entry["TrainingJobName"]: Summary.of(entry) for entry in answer["TrainingJobSummaries"]}
            if not answer.get("NextToken"):
                return list(found.values())
            asked["NextToken"] = answer["NextToken"]

    async def _unless_ended(self, operation: Operation, ask: Callable[[Any], object]) -> None:
        try:
            await self._ask(operation, ask)
        except (Unknown, CannotStart) as error:
            if isinstance(error, Fault) and not _says_ended(error):
                raise

    async def _ask(self, operation: Operation, ask: Callable[[Any], _T]) -> _T:
        """Ask, and again where that may help. Raises Fault."""
        service = "logs" if operation in {Operation.STREAMS, Operation.EVENTS} else "sagemaker"
        for attempt in range(_ATTEMPTS):
            try:
                async with self._pace.turn(operation):
                    answer = await self.in_thread(lambda: self._call(service, operation, ask))
            except Unanswered as error:
                if isinstance(error, Throttled):
                    self._pace.throttled(operation)
                if attempt == _ATTEMPTS - 1:
                    raise
                longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**attempt)
                await asyncio.sleep(random.uniform(0.0, longest))  # noqa: S311 -- jitter, not a secret
            else:
                self._pace.answered(operation)
                return answer
        raise AssertionError("the last attempt returns or raises")

    def _call(self, service: str, operation: Operation, ask: Callable[[Any], _T]) -> _T:
        from botocore.exceptions import BotoCoreError, ClientError

        asked: Any = None
        try:
            asked = self._client(service)
            answer = ask(asked)
        except (BotoCoreError, ClientError) as error:
            meaning = fault(error, operation.title)
            if isinstance(meaning, LoginNeeded):  # a session reads credentials once
                self._forget(asked)
            raise meaning from error
        self._note_time(answer)
        return answer

    def _client(self, service: str) -> Any:
        with self._turn:
            if service not in self._clients:
                self._clients[service] = client(self._options, service, attempts=1)
            return self._clients[service]

    def _forget(self, asked: object) -> None:
        with self._turn:
            self._clients = {service: kept for service, kept in self._clients.items() if kept is not asked}

    def _note_time(self, answer: object) -> None:
        metadata = answer.get("ResponseMetadata", {}) if isinstance(answer, dict) else {}
        if date := metadata.get("HTTPHeaders", {}).get("date"):
            self.now = parsedate_to_datetime(date).timestamp()


def _says_ended(error: Fault) -> bool:
    """Tell whether AWS refuses to stop or release what has ended, is ending, or never was."""
    words = str(error)
    return isinstance(error, Unknown) or "in status" in words or "not found" in words.lower()
