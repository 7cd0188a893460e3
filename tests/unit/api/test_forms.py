"""Forms as people, programs and attackers send them."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from api import forms
from tests.unit.api.doors import JPEG, Stage
from tests.unit.api.people import is_problem

TYPE = {"content-type": "multipart/form-data; boundary=X"}
FILE = (
    b'--X\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n'
    b"Content-Type: image/jpeg\r\n\r\n"
)
END = b"\r\n--X--\r\n"


def field(name: str, value: bytes) -> bytes:
    return f'--X\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + value + b"\r\n"


async def sent(
    on: Stage, content: bytes | AsyncIterator[bytes], headers: dict[str, str] = TYPE
) -> httpx.Response:
    return await on.client().post("/v1/uploads", content=content, headers=headers)


async def title_of(on: Stage, answer: httpx.Response) -> str | None:
    assert answer.status_code == 202, answer.text
    on.reads.catch_up()
    asset = await on.client().get(f"/v1/assets/{answer.json()['asset_id']}")
    title: str | None = asset.json()["title"]
    return title


@pytest.mark.parametrize("first", [True, False])
async def test_words_may_stand_before_and_after_the_file(on: Stage, first: bool) -> None:
    file, title = FILE + JPEG + b"\r\n", field("title", "Häfen".encode())
    body = (title + file if first else file + title) + b"--X--\r\n"
    assert await title_of(on, await sent(on, body)) == "Häfen"


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
async def test_it_makes_no_difference_how_the_bytes_are_cut(on: Stage, size: int) -> None:
    whole = field("title", b"Harbour") + FILE + JPEG + END

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(whole), size):
            yield whole[start : start + size]

    assert await title_of(on, await sent(on, chunks())) == "Harbour"
    keys = [info async for info in on.store.list("assets/")]
    assert [info.size for info in keys] == [len(JPEG)]


async def test_blank_words_are_no_words(on: Stage) -> None:
    assert await title_of(on, await sent(on, field("title", b"") + FILE + JPEG + END)) is None


@pytest.mark.parametrize(
    ("declared", "name", "status"),
    [
        ("application/octet-stream", "a.JPG", 202),
        ("", "a.webp", 202),
        ("image/jpg", "a", 202),
        ("IMAGE/PNG; x=y", "a", 202),
        ("application/octet-stream", "a.exe", 415),
        ("image/svg+xml", "a.svg", 415),
        ("text/html", "a.jpg", 415),
    ],
)
async def test_the_type_is_declared_or_read_off_the_name(
    on: Stage, declared: str, name: str, status: int
) -> None:
    answer = await on.client().post("/v1/uploads", files={"file": (name, JPEG, declared)})
    assert answer.status_code == status


BROKEN = {
    "empty": b"",
    "no boundary": b"hello",
    "another boundary": FILE.replace(b"--X", b"--Y") + JPEG + END,
    "cut in the head": FILE[:40],
    "cut in the file": FILE + JPEG,
    "cut in the end": FILE + JPEG + b"\r\n--X",
    "no name": b"--X\r\nContent-Disposition: form-data\r\n\r\nx" + END,
    "no disposition": b"--X\r\nContent-Type: image/jpeg\r\n\r\nx" + END,
    "not of a form": b'--X\r\nContent-Disposition: attachment; name="file"\r\n\r\nx' + END,
    "a header without end": b"--X\r\nContent-Disposition: " + b"x" * 100_000,
    "too many headers": b"--X\r\n" + b"A: b\r\n" * 1000 + b"\r\nx" + END,
    "an endless preamble": b"\r\n" * 60_000,
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
async def test_broken_forms_leave_nothing_behind(on: Stage, body: bytes) -> None:
    is_problem(await sent(on, body), 400, "malformed-request")
    assert on.events() == []
    assert [info async for info in on.store.list("")] == []


INVALID = {
    "no file": field("title", b"x") + b"--X--\r\n",
    "a file that is text": field("file", JPEG) + b"--X--\r\n",
    "two files": FILE + JPEG + b"\r\n" + FILE + JPEG + END,
    "a word twice": field("title", b"a") + field("title", b"b") + FILE + JPEG + END,
    "an unknown field": field("owner_id", b"1") + FILE + JPEG + END,
    "a word that is no text": field("title", b"\xff\xfe") + FILE + JPEG + END,
    "a word with NUL": field("title", b"a\0b") + FILE + JPEG + END,
    "a word too long": field("title", b"x" * 201) + FILE + JPEG + END,
    "a word far too long": field("title", b"x" * 90_000) + FILE + JPEG + END,
    "too many tags": field("tags", b",".join(b"%d" % n for n in range(60))) + FILE + JPEG + END,
    "no file name": FILE.replace(b"a.jpg", b"") + JPEG + END,
    "many parts": b"".join(field(f"x{n}", b"") for n in range(1000)) + b"--X--\r\n",
}


@pytest.mark.parametrize("body", INVALID.values(), ids=INVALID)
async def test_forms_that_say_the_wrong_things_leave_nothing_behind(on: Stage, body: bytes) -> None:
    answer = await sent(on, body)
    if answer.status_code == 415:  # without a name nothing says what the bytes are
        return
    is_problem(answer, 422, "invalid-request")
    assert on.events() == []
    assert [info async for info in on.store.list("")] == []


async def test_an_empty_file_is_no_picture(on: Stage) -> None:
    is_problem(await sent(on, FILE + END), 422, "empty-upload")
    assert on.events() == []
    assert [info async for info in on.store.list("")] == []


@pytest.mark.parametrize("declared", [True, False])
async def test_files_end_at_their_limit(on: Stage, declared: bool) -> None:
    limit = on.settings.limits.form_bytes
    assert (await sent(on, FILE + b"x" * limit + END)).status_code == 202
    for size in (limit + 1, limit * 5):
        body = FILE + b"x" * size + END

        async def chunks(body: bytes = body) -> AsyncIterator[bytes]:
            for start in range(0, len(body), 10_000):
                yield body[start : start + 10_000]

        is_problem(await sent(on, body if declared else chunks()), 413, "too-large")
    assert len(on.events()) == 2


async def test_nothing_endless_may_follow_the_form(on: Stage) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield FILE + JPEG + END
        for _ in range(100):
            yield b"x" * 10_000

    is_problem(await sent(on, chunks()), 413, "too-large")
    assert on.events() == []


async def test_whoever_only_holds_the_connection_is_cut(on: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms, "IDLE_SECONDS", 0.05)

    async def stalled() -> AsyncIterator[bytes]:
        yield FILE
        await asyncio.sleep(10)

    is_problem(await sent(on, stalled()), 408, "request-timeout")
    monkeypatch.setattr(forms, "SLOW_START_SECONDS", 0.1)

    async def dripping() -> AsyncIterator[bytes]:
        yield FILE
        for _ in range(1000):
            await asyncio.sleep(0.01)
            yield b"x"

    is_problem(await sent(on, dripping()), 408, "request-timeout")
    assert [info async for info in on.store.list("")] == []


@pytest.mark.parametrize("boundary", ["", "; boundary=", "; boundary=" + "x" * 71, '; boundary="'])
async def test_forms_name_their_boundary(on: Stage, boundary: str) -> None:
    headers = {"content-type": "multipart/form-data" + boundary}
    is_problem(await sent(on, FILE + JPEG + END, headers), 400, "malformed-request")
