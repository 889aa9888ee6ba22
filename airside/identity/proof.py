"""Whether an account's e-mail is proven to be its user's, and proving it.

An account created from an invitation link is unproven: the inviting admin saw the link too, and could have opened
it (docs/decisions/0019). Operators prove an e-mail.
"""

from airside.audit.record import OPERATOR, record_audit
from airside.db.base import Row
from airside.db.text_rules import is_id
from airside.errors import Conflict, Invalid, NotFound, Refused
from airside.identity.ending_sessions import delete_sessions_of
from airside.identity.passwords import hash_password, known_of
from airside.identity.revocations import revocations
from airside.identity.revoke_keys import revoke_keys_of
from airside.identity.tables import users
from airside.runtime.site import Site


class UnprovenEmail(Conflict):
    """The action would grant a right to an account with an unproven e-mail, and nobody has accepted that."""

    code = "unproven_email"

    def __init__(self, email: str, hint: str = "") -> None:
        self.email = email
        sentence = (
            f"The e-mail {email} is not verified: "
            "its account was created with an invitation link, by the first person who opened it."
        )
        super().__init__(f"{sentence} {hint}".rstrip())


def is_proven(user: Row) -> bool:
    """Bots count as proven: their e-mail is synthetic."""
    return user["is_bot"] or user["email_proven_at"] is not None


def require_proven(user: Row, *, accept_unproven: bool = False) -> None:
    """`accept_unproven`: the warning was shown and accepted. Raises UnprovenEmail."""
    if not (accept_unproven or is_proven(user)):
        raise UnprovenEmail(user["email"])


async def prove_email(site: Site, user_id: str, password: str) -> int:
    """As an operator who knows the e-mail's owner, prove it and set a password to hand to the owner.

    The account's former holder loses access: every session, API key and grant is revoked, and the account's
    invitation links stop working. Returns how many keys were revoked. Raises Invalid, NotFound, and Refused for a
    proven e-mail."""
    known = await site.db.find(users, id=user_id) if is_id(user_id) else None
    if known is None:
        raise NotFound("There is no such user.")
    hashed, now = await hash_password(password, known_of(known)), site.clock.now()
    async with site.db.transaction() as tx:
        user = await tx.lock(users, id=user_id)
        assert user is not None  # people are never deleted
        if user["is_bot"]:
            raise Invalid({"user": ["A bot has no e-mail to prove."]})
        if is_proven(user):
            raise Refused(f"The e-mail {user['email']} is proven already.")
        changes = {"password_hash": hashed, "email_proven_at": now, "updated_at": now}
        await tx.update(users, changes, id=user_id)
        await delete_sessions_of(tx, user_id)
        await record_audit(tx, "user.email_proven", now, actor_kind=OPERATOR, target=("user", user_id))
        await site.tokens.revoke_of_user(tx, user_id, "email_proven", now)
        revocations.record(tx)
        return await revoke_keys_of(tx, user_id, now)
