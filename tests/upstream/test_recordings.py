"""The stand-in answers as a Community Edition did, exchange by exchange, and sets off what it set off."""

import asyncio
from functools import cache

import pytest

from airside.gateway.contract.exchanges import CORE, GATEWAY, load_exchanges, load_rows
from tests.upstream.recorded_sessions import SKIPPED, Replayed, replay_session

EXCHANGES = [
    pytest.param(session, exchange.n, id=f"{session}-{exchange.n}-{exchange.step or exchange.method}")
    for session in (CORE, GATEWAY)
    for exchange in load_exchanges(session)
    if exchange.n not in SKIPPED[session]
]
CHANGES = [
    pytest.param(place, id=f"{place}-{change['via']}-{change['change'].split('=')[0]}")
    for place, change in enumerate(load_rows("changes"))
]


@cache
def replayed(session: str) -> Replayed:
    """Each session is replayed once, whatever is asked of it."""
    return asyncio.run(replay_session(session))


@pytest.mark.parametrize(("session", "n"), EXCHANGES)
def test_an_exchange_is_answered_as_recorded(session: str, n: int) -> None:
    assert replayed(session).answers[n] == []


@pytest.mark.parametrize("place", CHANGES)
def test_a_change_sets_off_what_was_recorded(place: int) -> None:
    assert replayed(GATEWAY).changes[place] == []


def test_what_is_not_replayed_is_named_with_its_reason() -> None:
    for session, skipped in SKIPPED.items():
        known = {exchange.n for exchange in load_exchanges(session)}
        assert skipped.keys() <= known
        assert all(skipped.values())
