"""What the gateway needs of an instance, as the recorded exchanges that show it, in an order in which they can be
sent to any: accounts of apps, people's sessions and tokens, memberships, webhooks, and what has to be free.

`check_instance` sends them to a running one, in projects of its own naming, and says what differs."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from airside.gateway.contract.exchanges import GATEWAY, Exchange, load_exchanges
from airside.gateway.contract.replay import Replay
from airside.system.clock import SystemClock

# Which secret a created key is in the later requests, by the number of its exchange.
KEY_NAMES: Mapping[int, str] = {
    17: "key:Ana",
    48: "key:app",
    266: "key:Ben-via-app",
    267: "key:Ben-short",
    341: "key:app2",
    362: "key:Ana-short",
    379: "key:gateway",
    446: "key:app-3",
}
WEAK_PASSWORD: Mapping[int, str] = {33: "aaaaaaaa"}

# First and last exchange, and what they show.
CHAIN: tuple[tuple[int, int, str], ...] = (
    (6, 15, "projects, states, labels, items"),
    (16, 25, "an admin's key; a member is invited, signs up, joins"),
    (29, 38, "an app's account is invited, signs up although it is weak at first, and joins"),
    (39, 49, "its name, avatar, preferences and key"),
    (50, 58, "what it sees before and after it is a member; it can be mentioned and assigned"),
    (66, 69, "it comments, changes a state, is assigned"),
    (71, 74, "the feed names it"),
    (87, 88, "a webhook needs a host with a dot that is allowed"),
    (91, 93, "webhooks to this machine are refused"),
    (95, 95, "webhooks over other schemes are refused"),
    (99, 101, "webhooks are an admin's, by session"),
    (89, 89, "the webhook is deleted"),
    (255, 257, "who a session is, and where"),
    (261, 264, "what is no session"),
    (266, 266, "a person's token with an end"),
    (268, 272, "a person's token does what the person may"),
    (274, 277, "the end of a token can't be changed"),
    (280, 285, "a token survives the end of the session"),
    (301, 306, "requests of other sites"),
    (307, 315, "paths that are free for the gateway"),
    (316, 336, "an app is removed, leaves, is installed again"),
    (337, 352, "an account that deactivates itself leaves its key behind"),
    (353, 361, "guests and members"),
    (362, 376, "the gateway's own account, made with a key that ends"),
    (378, 387, "which projects it, and an app, may join"),
)
# They show what else is in the instance: only their shape is compared.
SHAPE_ONLY = frozenset(
    (
        *(6, 7, 9, 10, 11, 16, 36, 50, 55, 56, 57, 58, 71, 72),
        *(255, 256, 257, 269, 271, 316, 317, 322, 324, 332, 333, 334, 335),
        *(342, 343, 344, 347, 352, 357, 384),
    )
)
# Ends of tokens, by seconds from now.
ENDS: Mapping[str, int] = {"2027-02-27T16:44:01.478275": 7_776_000, "2026-11-29T16:54:55.503341": 600}
WEBHOOK_URLS = ("http://airside.internal:8000/h", "http://127.0.0.1:26500/g")


def describe_exchange(number: int) -> str:
    """What it shows, and its request."""
    shown = next(text for first, last, text in CHAIN if first <= number <= last)
    exchange = next(one for one in chain_exchanges() if one.n == number)
    return f"{number} ({shown}): {exchange.method} {exchange.path}"


def chain_exchanges() -> tuple[Exchange, ...]:
    known = {exchange.n: exchange for exchange in load_exchanges(GATEWAY)}
    numbers = [n for first, last, _ in CHAIN for n in range(first, last + 1)]
    return tuple(known[n] for n in numbers if n in known)


@dataclass
class Instance:
    """What a check is given: where the instance is, and the session of an admin of a workspace in it."""

    url: str
    slug: str
    email: str
    cookies: dict[str, str]
    ids: dict[str, str]  # the admin's and the workspace's, by their recorded ones
    webhook_url: str  # with a host that WEBHOOK_ALLOWED_HOSTS has
    storage_url: str  # where its uploads go
    mark: str = field(default_factory=lambda: secrets.token_hex(3))  # tells this check's records from others


ADMIN, WORKSPACE = "8fe0651c-3459-49d9-9868-ffc0228d0633", "a3a7ce4c-5985-4f4c-9098-b61c551d3163"
ADDRESSES = ("triage", "gone", "g", "airside-gateway", "third")


async def check_instance(instance: Instance) -> dict[int, list[str]]:
    """What differs, by exchange. The projects, accounts and keys that it makes stay in the workspace."""
    replay = Replay(
        instance.url,
        replaced=_replaced(instance),
        passwords=dict(WEAK_PASSWORD),
        key_names=KEY_NAMES,
        shape_only=SHAPE_ONLY,
    )
    replay.sign_in("Ana session", instance.cookies)
    for recorded, given in instance.ids.items():
        replay.names.agree(recorded, given)
    await replay.run(chain_exchanges())
    return {n: found for n, found in replay.differences.items() if found}


def _replaced(instance: Instance) -> dict[str, str]:
    """Texts of the recorded session by those of this one."""
    mark, domain = instance.mark, "apps.airside.invalid"
    people = {
        f"{name}{at}{domain}": f"{name}-{mark}{at}{domain}" for name in ADDRESSES for at in ("@", "%40")
    }
    return {
        "127.0.0.1:26000": instance.url.split("://")[1],
        "http://127.0.0.1:26900": instance.storage_url,
        "workspaces/acme/": f"workspaces/{instance.slug}/",
        "slug=acme": f"slug={instance.slug}",
        '"slug": "acme"': f'"slug": "{instance.slug}"',
        "ana@acme.test": instance.email,
        "ben@acme.test": f"ben-{mark}@acme.test",
        '"name": "Mobile"': f'"name": "Mobile {mark}"',
        '"name": "Web"': f'"name": "Web {mark}"',
        '"MOB"': f'"M{mark.upper()}"',
        '"WEB"': f'"W{mark.upper()}"',
        **{url: f"{instance.webhook_url}/{place}" for place, url in enumerate(WEBHOOK_URLS)},
        **people,
        **{end: _in(seconds) for end, seconds in ENDS.items()},
    }


def _in(seconds: int) -> str:
    return (SystemClock().now() + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%f")
