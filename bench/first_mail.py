"""How long after its 201 the mails of a lead are with the mail server, at rest."""

import socket
import tempfile
import time
from pathlib import Path
from statistics import quantiles

from tests.servers.redis import RedisServer
from tests.servers.smtp_sink import SmtpSink

from bench.service import form, mailing_to, request, service, worker

LEADS = 100
_WARM_UP = 5
_PAUSE_SECONDS = 0.1
_RESUME_BYTES = 20_000


def run() -> None:
    """Measure one lead at a time, without Redis and with it."""
    print(f"201 to 250: SQLite, one lead at a time, {LEADS} leads, {2 * LEADS} mails")
    with SmtpSink() as sink, service(**mailing_to(sink)) as port:
        _tell("without Redis", _measure(sink, port))
    with (
        tempfile.TemporaryDirectory() as folder,
        RedisServer(Path(folder)) as redis,
        SmtpSink() as sink,
    ):
        shared = {"DATA_DIR": f"{folder}/data", "REDIS_URL": redis.url, **mailing_to(sink)}
        with service(**shared) as port, worker(**shared):
            _tell("Redis and a worker", _measure(sink, port))


def _measure(sink: SmtpSink, port: int) -> list[float]:
    seconds = []
    sent = request(port, "/api/v1/leads", form(_RESUME_BYTES))
    for number in range(_WARM_UP + LEADS):
        answered = _post(port, sent)
        sink.wait_for(2 * (number + 1), 20)
        if number >= _WARM_UP:
            seconds += [mail.at - answered for mail in sink.messages[-2:]]
        time.sleep(_PAUSE_SECONDS)
    return seconds


def _post(port: int, sent: bytes) -> float:
    """Send a form and return when its answer was there."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(sent)
        answer = connection.recv(65536)
        answered = time.time()
    assert answer.startswith(b"HTTP/1.1 201 ")
    return answered


def _tell(name: str, seconds: list[float]) -> None:
    cuts = quantiles(seconds, n=20)
    print(f"  {name:18} p50 {cuts[9] * 1000:6.1f} ms  p95 {cuts[18] * 1000:6.1f} ms")
