"""multipart/form-data written by hand, so that a form may be as wrong as it likes."""

from pathlib import Path

RESUMES = Path(__file__).parent.parent / "fixtures" / "resumes"
PDF = (RESUMES / "resume.pdf").read_bytes()
BOUNDARY = b"the-boundary"
CONTENT_TYPE = f"Content-Type: multipart/form-data; boundary={BOUNDARY.decode()}"

Value = str | bytes


def text_part(name: Value, value: Value, *headers: bytes) -> bytes:
    """Write a field."""
    return _part(b'form-data; name="' + _bytes(name) + b'"', headers, _bytes(value))


def file_part(filename: Value, content: bytes, *headers: bytes, name: str = "resume") -> bytes:
    """Write a file; `filename` as it stands between the quotes, or a whole parameter list."""
    raw = _bytes(filename)
    parameters = raw if raw.startswith(b"filename") else b'filename="' + raw + b'"'
    return _part(f'form-data; name="{name}"; '.encode() + parameters, headers, content)


def person(first_name: Value = "Zoë", last_name: Value = "Ångström", **fields: Value) -> bytes:
    """Write the three fields of a person, and others that are given."""
    fields = {"email": "zoe@example.com"} | fields
    named = {"first_name": first_name, "last_name": last_name, **fields}
    return b"".join(text_part(name, value) for name, value in named.items())


def form(*parts: bytes, boundary: bytes = BOUNDARY) -> bytes:
    """Join parts to a body."""
    return b"".join(parts).replace(BOUNDARY, boundary) + b"--" + boundary + b"--\r\n"


def good_form() -> bytes:
    """Write a form that breaks no rule."""
    return form(person(), file_part("resume.pdf", PDF))


def chunked(body: bytes, size: int = 65536) -> bytes:
    """Write a body in chunks."""
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in [*pieces, b""])


def _part(disposition: bytes, headers: tuple[bytes, ...], content: bytes) -> bytes:
    lines = [b"--" + BOUNDARY, b"Content-Disposition: " + disposition, *headers, b"", content, b""]
    return b"\r\n".join(lines)


def _bytes(value: Value) -> bytes:
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
