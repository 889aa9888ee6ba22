"""Row CD4: codes, tokens and secrets can't be guessed."""

from collections import Counter

from airside.system.credentials import (
    BOT_TOKEN,
    CLIENT_SECRET,
    REFRESH_TOKEN,
    USER_TOKEN,
    new_credential,
)
from tests.oauth.conftest import AppSide

HEX = "0123456789abcdef"
SAMPLES = 10_000
NEVER = 80.0  # of chi-squared with 15 degrees of freedom: a chance of 1 in 10^10 at each position


def test_cd4_ten_thousand_credentials_repeat_nothing_and_favour_no_letter() -> None:
    made = [new_credential() for _ in range(SAMPLES)]
    assert len(set(made)) == SAMPLES
    assert {len(one) for one in made} == {64}  # of 4 bits each
    expected = SAMPLES / len(HEX)
    for position in range(64):
        counted = Counter(one[position] for one in made)
        assert sum((counted[letter] - expected) ** 2 / expected for letter in HEX) < NEVER, position


async def test_cd4_whatever_is_issued_is_such_a_credential(app_side: AppSide) -> None:
    code, bot = await app_side.code(), (await app_side.bot_token()).body["access_token"]
    pair = (await app_side.redeem(code)).body
    issued = {
        code: "",
        bot: BOT_TOKEN,
        pair["access_token"]: USER_TOKEN,
        pair["refresh_token"]: REFRESH_TOKEN,
        app_side.cast.client_secret: CLIENT_SECRET,
    }
    for credential, prefix in issued.items():
        random = credential.removeprefix(prefix)
        assert len(random) == 64
        assert set(random) <= set(HEX)
