from email import message_from_bytes, policy
from pathlib import Path

import pytest

from notion_backend.mail.files import FileSender
from notion_backend.mail.sender import LeaseLost, MailOutage
from tests.mail.samples import MAIL_ID, always, composer, mail, message

NAME = f"20261123T073015Z-prospect_confirmation-{MAIL_ID}.eml"


def test_a_mail_becomes_a_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "mail"
    composed = composer().compose(mail())

    assert FileSender(folder).send(composed, always) == f"written to {NAME}"
    (file,) = folder.iterdir()
    assert file.name == NAME
    assert file.read_bytes() == composed.data
    assert message_from_bytes(file.read_bytes(), policy=policy.default)["To"]
    assert (folder.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (0o700, 0o600)


def test_the_same_mail_again_replaces_its_file(tmp_path: Path) -> None:
    sender = FileSender(tmp_path)
    sender.send(message(data=b"first, and longer\r\n"), always)
    sender.send(message(data=b"second\r\n"), always)

    (file,) = tmp_path.iterdir()
    assert file.read_bytes() == b"second\r\n"


def test_without_the_lease_there_is_no_mail(tmp_path: Path) -> None:
    with pytest.raises(LeaseLost):
        FileSender(tmp_path).send(message(), lambda: False)

    assert list(tmp_path.glob("*.eml")) == []
    FileSender(tmp_path).send(message(), always)
    assert [each.name for each in tmp_path.iterdir()] == [NAME]


def test_what_the_lease_check_raises_is_no_disk_error(tmp_path: Path) -> None:
    def may_finish() -> bool:
        raise OSError("the database is away")

    with pytest.raises(OSError, match="the database is away"):
        FileSender(tmp_path).send(message(), may_finish)


def test_a_disk_error_is_an_outage(tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("in the way")

    with pytest.raises(MailOutage) as caught:
        FileSender(tmp_path / "mail").send(message(), always)
    assert caught.value.stage == "data"
    assert str(tmp_path) not in caught.value.reply
