"""A document that asks to be fetched from elsewhere: row 49."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import IO

import pytest

from tests.hostile.conftest import NO_LIMITS
from tests.hostile.resumes import docx, entry
from tests.hostile.target import Target
from tests.servers.commands import Process
from tests.servers.parts import program_of
from tests.servers.service import Service
from tests.waiting import wait_until

CALL_OUT = re.compile(r"connect\(\d+, \{sa_family=AF_INET6?,.*")


class TracedService(Service):
    """A service whose calls to the network and to files are written down."""

    def _spawn(self, output: IO[bytes]) -> Process:
        watched = "trace=connect,open,openat,sendto,sendmsg"
        calls = str(self._folder / "calls")
        strace = [program_of("strace"), "-f", "-qq", "-e", watched, "-o", calls, "--"]
        return subprocess.Popen(
            [*strace, sys.executable, "-m", "notion_backend", *self.command[1:]],
            cwd=self._folder,
            env=self._settings,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )


@pytest.fixture
def traced(tmp_path: Path, sqlite_url: str) -> Iterator[Target]:
    target = Target(tmp_path, sqlite_url, TracedService, **NO_LIMITS)
    with target.service, closing(target):
        target.prepare()
        yield target


# Row 49
@pytest.mark.needs("strace")
def test_a_document_reaches_neither_the_network_nor_a_file(traced: Target, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    canary.write_text("read me")
    external = f"""<?xml version="1.0"?><!DOCTYPE d SYSTEM "http://127.0.0.1:9/evil.dtd" [
        <!ENTITY % p SYSTEM "http://127.0.0.1:9/p"> %p; <!ENTITY f SYSTEM "file://{canary}">
        <!ENTITY g SYSTEM "http://127.0.0.1:9/g">]><d>&f;&g;</d>""".encode()
    remote = b"""<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
        <Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/\
relationships/attachedTemplate" Target="http://127.0.0.1:9/t.dotm" TargetMode="External"/>
        </Relationships>"""
    content = docx(entry("word/_rels/settings.xml.rels", remote), document=external)
    calls = tmp_path / "calls"
    start = calls.stat().st_size

    answer = traced.submit("cv.docx", content)
    assert answer.status in (201, 422)
    if answer.status == 201:
        traced.wait_for_mails()
        assert traced.api("GET", "/leads/1/resume").content == content
    wait_until(lambda: calls.stat().st_size > start)

    made = calls.read_bytes()[start:].decode("utf-8", "replace")
    assert CALL_OUT.findall(made) == []
    assert str(canary) not in made
    assert "dotm" not in made
