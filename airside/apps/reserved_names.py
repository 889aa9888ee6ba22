"""Names that no app may have, since people would take the app for the platform; however they are spelled."""

import unicodedata

# What looks like the letters of these names in other scripts, and the strokes that are hardly told apart.
_LOOKALIKES = str.maketrans(
    {
        "\u0430": "a", "\u03b1": "a", "\u0435": "e", "\u0501": "d", "\u043f": "n", "\u0578": "n", "\u0440": "p",
        "\u03c1": "p", "\u0455": "s", "\u0441": "c", "\u0456": "i", "\u04cf": "i", "\u03b9": "i", "\u0131": "i",
        "l": "i", "1": "i", "|": "i",
    }
)  # fmt: skip


def spell(name: str) -> str:
    """The name by how its letters look: without case, accents, spaces and signs, in Latin."""
    plain = unicodedata.normalize("NFKD", name).casefold().translate(_LOOKALIKES)
    return "".join(character for character in plain if character.isalnum())


RESERVED = frozenset(spell(name) for name in ("Airside", "Airside CLI", "Plane"))


def is_reserved(name: str) -> bool:
    return spell(name) in RESERVED
