"""Reserved app names, against apps that impersonate the platform; look-alike spellings included."""

import unicodedata

# Homoglyphs of these names' letters in other scripts, and strokes that look alike.
_LOOKALIKES = str.maketrans(
    {
        "\u0430": "a", "\u03b1": "a", "\u0435": "e", "\u0501": "d", "\u043f": "n", "\u0578": "n", "\u0440": "p",
        "\u03c1": "p", "\u0455": "s", "\u0441": "c", "\u0456": "i", "\u04cf": "i", "\u03b9": "i", "\u0131": "i",
        "l": "i", "1": "i", "|": "i",
    }
)  # fmt: skip


def spell(name: str) -> str:
    """The name reduced to its visual skeleton: Latin letters without case, accents, spaces and punctuation."""
    plain = unicodedata.normalize("NFKD", name).casefold().translate(_LOOKALIKES)
    return "".join(character for character in plain if character.isalnum())


RESERVED = frozenset(spell(name) for name in ("Airside", "Airside CLI", "Plane"))


def is_reserved(name: str) -> bool:
    return spell(name) in RESERVED
