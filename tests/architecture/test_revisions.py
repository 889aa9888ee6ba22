"""Two branches that each add revision 0007 merge without a conflict, and Alembic then runs only one of them."""

from collections import Counter

from airside.db.migrate import MIGRATIONS


def test_no_two_revisions_have_one_number() -> None:
    numbers = Counter(path.name.split("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))
    assert [number for number, count in numbers.items() if count > 1] == [], (
        "renumber yours after main's newest"
    )
