"""A17: argon2id in a few threads, for passwords of any characters; and weak ones are refused."""

import asyncio
import statistics
import threading
import time
from collections.abc import Iterator

import pytest

from adapters.password_hashes import MEMORY_KIB, PASSES, HashingBusy, PasswordHashes
from adapters.password_policy import LONGEST, WeakPassword, require_good

GOOD = "nine red lamps by the river"


@pytest.fixture(scope="module")
def hashes() -> Iterator[PasswordHashes]:
    made = PasswordHashes(threads=1, queue=4)
    yield made
    made.close()


async def test_hashes_are_argon2id_at_the_recommended_cost(hashes: PasswordHashes) -> None:
    made = await hashes.hash(GOOD)
    assert made.startswith(f"$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p=1$")
    assert made != await hashes.hash(GOOD)
    assert (await hashes.check(GOOD, made)).right
    assert not (await hashes.check(GOOD + " ", made)).right


@pytest.mark.parametrize(
    ("password", "other"),
    [
        ("x" * 72 + "one tail", "x" * 72 + "another tail"),  # where bcrypt would stop looking
        ("before\0after", "before\0other"),
        ("пароль из букв", "пароль из бука"),
        ("🐙" * 20, "🐙" * 19),
        ("a" * LONGEST, "a" * (LONGEST - 1)),
    ],
)
async def test_every_character_counts(hashes: PasswordHashes, password: str, other: str) -> None:
    made = await hashes.hash(password)
    assert (await hashes.check(password, made)).right
    assert not (await hashes.check(other, made)).right


async def test_a_password_is_the_same_however_a_keyboard_composes_it(hashes: PasswordHashes) -> None:
    made = await hashes.hash("caf\u00e9 de la gare")
    assert (await hashes.check("cafe\u0301 de la gare", made)).right


async def test_a_right_password_whose_hash_is_of_older_making_gets_a_new_one(hashes: PasswordHashes) -> None:
    older = PasswordHashes(threads=1, queue=1, passes=1, memory_kib=8 * 1024)
    old = await older.hash(GOOD)
    older.close()
    checked = await hashes.check(GOOD, old)
    assert checked.right
    assert checked.fresh is not None
    assert f"m={MEMORY_KIB},t={PASSES}" in checked.fresh
    assert (await hashes.check(GOOD, checked.fresh)).fresh is None
    assert (await hashes.check("wrong", old)).fresh is None


async def test_nobody_has_no_password_and_neither_has_a_hash_of_another_kind(hashes: PasswordHashes) -> None:
    assert not (await hashes.check(GOOD, None)).right
    assert not (await hashes.check(GOOD, "no hash at all")).right
    assert not (await hashes.check(GOOD, "$2b$12$" + "a" * 53)).right


async def test_checking_against_nobody_takes_as_long_as_against_somebody(hashes: PasswordHashes) -> None:
    made = await hashes.hash(GOOD)

    async def cost(known: str | None) -> float:
        spent = []
        for _ in range(7):
            spent.append(await hashes.run(time.thread_time) * -1)
            await hashes.check("wrong", known)
            spent[-1] += await hashes.run(time.thread_time)
        return statistics.median(spent)

    somebody, nobody = await cost(made), await cost(None)
    assert abs(somebody - nobody) < 0.25 * somebody  # of CPU time; the other way is an empty call: 100 %


async def test_more_than_may_wait_are_told_at_once_and_the_rest_is_hashed() -> None:
    narrow = PasswordHashes(threads=1, queue=1, passes=1, memory_kib=8)
    gate = threading.Event()
    held = asyncio.create_task(narrow.run(gate.wait))
    await asyncio.sleep(0)
    waits = asyncio.create_task(narrow.hash(GOOD))
    await asyncio.sleep(0)
    assert narrow.waiting == 2
    with pytest.raises(HashingBusy):
        await narrow.hash(GOOD)
    gate.set()
    assert await held
    assert (await waits).startswith("$argon2id$")
    assert narrow.waiting == 0
    narrow.close()


async def test_whoever_goes_away_keeps_their_place_until_the_thread_is_done() -> None:
    narrow = PasswordHashes(threads=1, queue=1, passes=1, memory_kib=8)
    gate = threading.Event()
    gone = asyncio.create_task(narrow.run(gate.wait))
    await asyncio.sleep(0.02)
    gone.cancel()
    await asyncio.wait([gone])
    gate.set()
    assert (await narrow.hash(GOOD)).startswith("$argon2id$")
    assert narrow.waiting == 0
    narrow.close()


@pytest.mark.parametrize(
    "password",
    [
        "short",
        "password",
        "Password123!",
        "qwertyuiop",
        "iloveyou2",
        "aaaaaaaaaaaaaaaaaaaaaaaa",
        "P@$$w0rd!",
        "lovelace@example.org",
        "a" * (LONGEST + 1),
    ],
)
def test_what_is_guessed_first_is_refused_without_being_repeated(password: str) -> None:
    with pytest.raises(WeakPassword) as refusal:
        require_good(password, about=["lovelace@example.org"])
    assert password not in str(refusal.value)


@pytest.mark.parametrize(
    "password", [GOOD, "xk7#Qp2!mZ", "пять красных ламп", "🐙 and eight arms", "a" * 9 + GOOD * 8]
)
def test_what_is_not_guessed_is_taken(password: str) -> None:
    require_good(password, about=["lovelace@example.org"])


def test_no_password_holds_the_judge_up() -> None:
    require_good(GOOD)  # reads the word lists
    began = time.thread_time()
    require_good(("4@8({[<369&#!1/|0$5+7%2" * 12)[:LONGEST])
    assert time.thread_time() - began < 1.0  # of its whole length it takes many seconds


async def test_whoever_hashes_holds_up_nobody_else() -> None:
    """A17: while more passwords wait than there are cores, the event loop answers as ever."""
    busy = PasswordHashes(threads=2, queue=32)
    hashing = [asyncio.create_task(busy.hash(GOOD)) for _ in range(24)]
    late: list[float] = []
    while busy.waiting or not late:
        began = time.perf_counter()
        await asyncio.sleep(0.001)
        late.append(time.perf_counter() - began)
    await asyncio.gather(*hashing)
    busy.close()
    assert statistics.median(late) < 0.05
    assert len(late) > 10  # the loop went on turning all the while
