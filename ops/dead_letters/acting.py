"""What a command does to one dead letter, and the word that says what came of it."""

import asyncio
from typing import Final, Literal

from adapters.dead_letters import Letter
from api.letters import Standing, asset_of, cause_of, discard_id, discard_of, redrive_of, spot_of
from ops.desk import Desk
from schemas.decode_errors import DecodeError, UnknownEventType
from schemas.events import VariantsRequested

Came = Literal["redriven", "discarded", "still_held", "asked", "over", "spent", "impossible"]
"""still_held: read again in vain. asked: it is not known yet what came of it. spent: redriven too often."""

_SOURCE: Final = "/ops/dead-letters"
_LOOK_SECONDS: Final = 0.1


async def redrive(desk: Desk, standing: Standing) -> Came:
    """Has it done again, and waits for what comes of records that are read again."""
    if standing.held is not None:
        await desk.work.ask_redrive(standing.held, desk.clock.now())
        return await _read_again(desk, standing)
    if standing.state == "over":
        return "over"
    letter = await asyncio.to_thread(desk.letters.letter, standing.letter.letter_id)
    asset_id = asset_of(standing.letter)
    if asset_id is None or await desk.work.original(asset_id) is None:
        return "impossible"  # in the trash, or gone: the log would not let it count
    rounds = await desk.work.redrive_rounds(asset_id)
    if rounds >= desk.settings.limits.redrives:
        return "spent"
    event = None if letter is None else _request(desk, letter, rounds)
    if event is None:
        return "impossible"
    await desk.append(event, source=_SOURCE, causation_id=cause_of(standing.letter))
    return "redriven"


async def discard(desk: Desk, standing: Standing) -> Came:
    """Has it left out for good, and waits until those behind it went on."""
    event = discard_of(
        standing.letter,
        desk.settings.kafka.topics,
        event_id=discard_id(standing.letter, desk.secret),
        now=desk.clock.now(),
        actor_id=desk.operator,
    )
    if standing.state == "over" or event is None:
        return "over"
    await desk.append(event, source=_SOURCE)
    if standing.held is None:
        return "discarded"
    return "discarded" if await _gone(desk, standing) else "asked"


def _request(desk: Desk, letter: Letter, rounds: int) -> VariantsRequested | None:
    now, operator = desk.clock.now(), desk.operator
    try:
        return redrive_of(letter, desk.codec.decode, desk.secret, rounds=rounds, now=now, actor_id=operator)
    except (DecodeError, UnknownEventType):
        return None


async def _read_again(desk: Desk, standing: Standing) -> Came:
    """Waits until nobody asks for it any more."""
    spot = spot_of(standing.letter)
    try:
        async with asyncio.timeout(desk.wait):
            while True:
                found = (await desk.work.held([spot])).get(spot)
                if found is None:
                    return "redriven"
                if not found.asked:
                    return "still_held"
                await asyncio.sleep(_LOOK_SECONDS)
    except TimeoutError:
        return "asked"


async def _gone(desk: Desk, standing: Standing) -> bool:
    spot = spot_of(standing.letter)
    try:
        async with asyncio.timeout(desk.wait):
            while spot in await desk.work.held([spot]):  # noqa: ASYNC110 - another process takes it away
                await asyncio.sleep(_LOOK_SECONDS)
    except TimeoutError:
        return False
    return True
