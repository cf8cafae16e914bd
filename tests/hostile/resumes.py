"""Résumés that were made to do harm."""

import struct
import zlib

DOCX_PARTS = ("[Content_Types].xml", "_rels/.rels", "word/document.xml")


def entry(name: str, content: bytes = b"<a/>", size: int | None = None) -> tuple[str, bytes, int]:
    """Describe an entry of an archive; `size` is what it claims to unpack to."""
    return name, content, len(content) if size is None else size


def archive(*entries: tuple[str, bytes, int]) -> bytes:
    """Write a zip archive whose directory may claim anything; contents are deflated."""
    body, directory = b"", []
    for name, content, size in entries:
        packer = zlib.compressobj(wbits=-15)
        packed = packer.compress(content) + packer.flush()
        raw = name.encode()
        sizes = struct.pack("<LLL", zlib.crc32(content), len(packed), size)
        lengths = struct.pack("<HH", len(raw), 0)
        common = struct.pack("<HHHHH", 20, 0, 8, 0, 33) + sizes + lengths
        place = struct.pack("<HHHLL", 0, 0, 0, 0, len(body))
        directory.append(b"PK\1\2\24\0" + common + place + raw)
        body += b"PK\3\4" + common + raw + packed
    listing = b"".join(directory)
    count = min(len(entries), 0xFFFF)
    return (
        body
        + listing
        + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(listing), len(body), 0)
    )


def docx(*more: tuple[str, bytes, int], document: bytes = b"<a/>") -> bytes:
    """Write a DOCX with further entries."""
    parts = [entry(name, document if "document" in name else b"<a/>") for name in DOCX_PARTS]
    return archive(*parts, *more)


def crowded_docx(entries: int) -> bytes:
    """Write a DOCX with very many entries, of which the directory alone takes megabytes."""
    head = docx()
    one = struct.pack(
        "<4sHHHHHHLLLHHHHHLL", b"PK\1\2", 20, 20, 0, 0, 0, 33, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0
    )
    end = head.rindex(b"PK\5\6")
    length, start = struct.unpack("<LL", head[end + 12 : end + 20])
    listing = head[start : start + length] + (one + b"x") * entries
    count = entries & 0xFFFF
    tail = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(listing), start, 0)
    return head[:start] + listing + tail


def pdf(*objects: str, trailer: str = "<< /Root 1 0 R >>", xref: int = 9) -> bytes:
    """Write something with the bones of a PDF."""
    body = "".join(f"{number} 0 obj\n{text}\nendobj\n" for number, text in enumerate(objects, 1))
    return f"%PDF-1.7\n{body}xref\n0 0\ntrailer\n{trailer}\nstartxref\n{xref}\n%%EOF\n".encode()
