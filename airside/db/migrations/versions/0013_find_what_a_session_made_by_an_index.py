"""Find what a session's forms made by an index: it is deleted with the session."""

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_index("ix_form_answers_session_hash", "form_answers", ["session_hash"])
