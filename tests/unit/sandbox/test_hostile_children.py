"""Whatever a child does, the worker lives, the job has an outcome and the next one is right (I10, I11)."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from processors.imaging.recipe import Limits, Preset
from processors.sandbox import Broken, Exhausted, Refused, Rendered, Sandbox, SandboxUnavailable
from processors.sandbox.confinement import Ceiling
from tests.unit.sandbox.hostile import FILE

pytestmark = pytest.mark.asyncio(loop_scope="module")
JOB = "tests.unit.sandbox.hostile:Hostile"
PRESETS = (Preset(name="large", width=8, height=8, fit="contain"),)


def sandbox(**changed: Any) -> Sandbox:
    """Two children that obey their data, with little time."""
    settings: dict[str, Any] = {"children": 2, "limits": Limits(), "wall_seconds": 1.6, "both_seconds": 2.8}
    return Sandbox(**settings | {"cpu_seconds": 1, "job": JOB} | changed)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def children() -> AsyncIterator[Sandbox]:
    async with sandbox() as started:
        yield started


async def render(children: Sandbox, words: str, owner: str = "ada") -> Rendered:
    return await children.render(words.encode(), owner=owner, presets=PRESETS)


async def told(children: Sandbox, words: str, owner: str = "ada") -> dict[str, Any]:
    """What the child tells about an honest job; the file it made is looked at too."""
    with await render(children, words, owner) as rendered:
        assert bytes(rendered.bytes_of(rendered.variants[0])) == FILE
        answer: dict[str, Any] = json.loads(rendered.facts.camera or "")
        return answer | {"attempts": rendered.attempts_in_sandbox}


@pytest.mark.parametrize(
    ("words", "code", "ending"),
    [
        ("open /etc/passwd", "crashed", "SIGSYS"),
        ("open /dev/null", "crashed", "SIGSYS"),
        ("socket", "crashed", "SIGSYS"),
        ("fork", "crashed", "SIGSYS"),
        ("thread", "crashed", "SIGSYS"),
        ("exec", "crashed", "SIGSYS"),
        ("kill", "crashed", "SIGSYS"),
        ("code", "crashed", "SIGSYS"),
        ("unlimit", "crashed", "SIGSYS"),
        ("segfault", "crashed", "SIGSEGV"),
        ("exit 0", "crashed", "exit code 0"),
        ("exit 3", "crashed", "exit code 3"),
        ("hang", "timeout", "SIGKILL"),
        ("eat 2", "out_of_memory", ""),
    ],
)
async def test_the_next_job_is_right(children: Sandbox, words: str, code: str, ending: str) -> None:
    """I10."""
    assert children.status.mode == "seccomp"
    first = await told(children, "fine")
    with pytest.raises(Exhausted) as caught:
        await render(children, words)
    assert caught.value.code == code
    assert str(caught.value) == (f"{code} ({ending})" if ending else code)
    after = await told(children, "fine")
    assert after["pid"] != first["pid"]
    assert after["attempts"] == 1


async def test_processor_time_ends_too() -> None:
    """I10: where nobody looks at the clock, the kernel counts."""
    async with sandbox(wall_seconds=60.0, both_seconds=60.0) as children:
        with pytest.raises(Exhausted) as caught:
            await render(children, "spin")
        assert str(caught.value) == "timeout (SIGXCPU)"
        assert (await told(children, "fine"))["attempts"] == 1


async def test_ten_bombs_at_once(children: Sandbox) -> None:
    """I11: healthy jobs among them finish."""
    bombs = [render(children, words, "eve") for words in ("eat 2", "segfault") * 5]
    healthy = [told(children, "fine", "ada") for _ in range(10)]
    outcomes = await asyncio.gather(*bombs, *healthy, return_exceptions=True)
    assert all(isinstance(outcome, Exhausted) for outcome in outcomes[:10])
    assert [outcome["told"] for outcome in outcomes[10:] if isinstance(outcome, dict)] == ["nothing"] * 10


async def test_a_second_child_may_do_better(children: Sandbox) -> None:
    await told(children, "fine")
    assert await told(children, "die-if-used") | {"pid": 0} == {
        "pid": 0,
        "jobs": 1,
        "told": "fresh",
        "attempts": 2,
    }


@pytest.mark.parametrize("code", ["corrupt", "truncated"])
async def test_a_fresh_child_has_the_last_word_on_damage(children: Sandbox, code: str) -> None:
    """A child that has worked may run out of memory where the decoder says that the bytes are bad."""
    await told(children, "fine")
    assert (await told(children, f"refuse-if-used {code}"))["attempts"] == 2
    with pytest.raises(Refused) as caught:
        await render(children, f"refuse {code}")
    assert caught.value.code == code


async def test_refusals_come_through(children: Sandbox) -> None:
    await told(children, "fine")
    with pytest.raises(Refused) as caught:
        await render(children, "refuse-if-used too_many_pixels")
    assert caught.value.code == "too_many_pixels"


async def test_a_bug_is_told_without_its_data(children: Sandbox) -> None:
    """L02: what an exception says may be made of somebody's bytes."""
    with pytest.raises(Broken) as caught:
        await render(children, "raise canary-of-a-stranger")
    assert str(caught.value).startswith("KeyError at hostile.py:")
    assert (await told(children, "fine"))["told"] == "nothing"


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "{}",
        "[" * 20_000,
        "\x00\xff",
        '{"kind": "Declined", "code": "nonsense"}',
        '{"kind": "Made", "variants": []}',
        '{"kind": "Failed"}',
        "1" * 100_000,
    ],
    ids=["nothing", "empty", "deep", "binary", "code", "no variants", "no place", "long"],
)
async def test_a_child_that_answers_nonsense_is_dead(children: Sandbox, answer: str) -> None:
    with pytest.raises(Exhausted):
        # Two tries, and no waiting for the death of somebody who lives.
        async with asyncio.timeout(8):
            await render(children, f"say {answer}")
    assert (await told(children, "fine"))["attempts"] == 1


async def test_nothing_of_the_worker_is_in_a_child(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither its secrets nor its files and connections."""
    monkeypatch.setenv("S3_SECRET_KEY", "canary")
    secret = os.open("/dev/zero", os.O_RDONLY)
    os.set_inheritable(secret, True)
    async with sandbox() as children:
        names = (await told(children, "environment"))["told"].split()
        kinds = (await told(children, "descriptors"))["told"].split()
    os.close(secret)
    assert "S3_SECRET_KEY" not in names
    # /dev/null thrice, the socket, the picture and the output; nothing else.
    assert sorted(kinds) == sorted([oct(2)] * 3 + [oct(12)] + [oct(8)] * 2)


async def test_output_has_an_end() -> None:
    async with sandbox(ceiling=Ceiling(output=8 << 20)) as children:
        assert (await told(children, "fill 1"))["told"] == "too large"


@pytest.mark.parametrize("missing", ["off", "not installed"])
async def test_where_there_is_no_seccomp(missing: str) -> None:
    """Limits alone: files can't be opened, memory and time end; and everybody is told."""
    changed = {"seccomp": "off"} if missing == "off" else {"job": "tests.unit.sandbox.hostile:WithoutSeccomp"}
    async with sandbox(**changed) as children:
        assert children.status.mode == "rlimits"
        assert children.status.reason
        with pytest.raises(Broken, match="OSError"):
            await render(children, "open /etc/passwd")
        for words, code in {"eat 2": "out_of_memory", "spin": "timeout", "segfault": "crashed"}.items():
            with pytest.raises(Exhausted) as caught:
                await render(children, words)
            assert caught.value.code == code
        assert (await told(children, "fine"))["told"] == "nothing"


async def test_seccomp_can_be_required() -> None:
    with pytest.raises(SandboxUnavailable, match="libseccomp"):
        await sandbox(seccomp="required", job="tests.unit.sandbox.hostile:WithoutSeccomp").start()
    async with sandbox(seccomp="required") as children:
        assert children.status.reason is None
