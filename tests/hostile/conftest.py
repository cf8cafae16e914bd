"""One service for each kind of database, attacked by all tests and looked over after each."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.hostile.target import Target
from tests.servers.databases import Databases
from tests.servers.smtp_sink import SmtpSink
from tests.service.client import CHEAP_HASHES

NO_LIMITS = {
    "INTAKE_RATE_LIMIT": "off",
    "LOGIN_RATE_LIMIT": "off",
    "PROSPECT_MAIL_LIMIT": "off",
    "STAFF_EMAILS": "desk@firm.example",
}


@pytest.fixture(scope="package", params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    """The kind of database; both in turn."""
    return str(request.param)


@pytest.fixture(scope="package")
def open_target(
    kind: str, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Target]:
    """A service whose limits on how often one may ask are off."""
    with databases.of(kind).bare() as url:
        target = Target(tmp_path_factory.mktemp("hostile"), url, **CHEAP_HASHES, **NO_LIMITS)
        with target.service, closing(target):
            target.prepare()
            yield target


@pytest.fixture(scope="package")
def sink(kind: str) -> Iterator[SmtpSink]:
    """The mail server of the guarded service; it knows no SMTPUTF8."""
    with SmtpSink(smtputf8=False) as server:
        yield server


@pytest.fixture(scope="package")
def limited_target(
    kind: str, databases: Databases, tmp_path_factory: pytest.TempPathFactory, sink: SmtpSink
) -> Iterator[Target]:
    """A service with every limit on, called by its https name, that sends mail to `sink`."""
    with databases.of(kind).bare() as url:
        target = Target(
            tmp_path_factory.mktemp("limited"),
            url,
            **CHEAP_HASHES,
            PUBLIC_URL="https://leads.example.com",
            STAFF_EMAILS="desk@firm.example",
            SMTP_HOST=sink.host,
            SMTP_PORT=str(sink.port),
            SMTP_SECURITY="none",
        )
        with target.service, closing(target):
            target.prepare()
            yield target


@pytest.fixture
def target(open_target: Target) -> Iterator[Target]:
    """The open service, which must be unharmed at the end."""
    yield from _looked_over(open_target)


@pytest.fixture
def guarded(limited_target: Target) -> Iterator[Target]:
    """The limited service, which must be unharmed at the end."""
    yield from _looked_over(limited_target)


def _looked_over(target: Target) -> Iterator[Target]:
    start = target.log_size()
    target.traces.clear()
    yield target
    target.assert_unharmed(start)
