"""The only place where sessions are deleted, each with the stored answers of its forms."""

import sqlalchemy as sa

from airside.db.base import Id
from airside.db.database import Transaction
from airside.db.statements import Statement
from airside.identity.tables import form_answers, sessions


async def delete_session(tx: Transaction, id_hash: str) -> None:
    """Idempotent."""
    await tx.delete(form_answers, session_hash=id_hash)
    await tx.delete(sessions, id_hash=id_hash)


async def delete_sessions_of(tx: Transaction, user_id: str, keep: str = "") -> None:
    """All sessions of a user, except the one whose `id_hash` is `keep`."""
    await tx.execute(_DELETE_ANSWERS, user_id=user_id, kept=keep)
    await tx.execute(_DELETE_SESSIONS, user_id=user_id, kept=keep)


_which = (
    sessions.c.user_id == sa.bindparam("user_id", type_=Id()),
    sessions.c.id_hash != sa.bindparam("kept"),
)
_DELETE_ANSWERS = Statement(
    sa.delete(form_answers).where(
        form_answers.c.session_hash.in_(sa.select(sessions.c.id_hash).where(*_which))
    )
)
_DELETE_SESSIONS = Statement(sa.delete(sessions).where(*_which))
