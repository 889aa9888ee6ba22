"""Password strength: rejects passwords that are easy to guess, such as words, names, dates and keyboard rows.

Estimated by zxcvbn, from word lists and the usual substitutions. Its cost grows with the length, and steeply with
characters that can replace several letters, so both are bounded here.
"""

from collections.abc import Iterable

MIN_SCORE = 3  # of 0 to 4: more than 10^8 guesses by zxcvbn's estimate
CHARACTERS = 24  # checked prefix: a strong prefix makes the whole password strong
INPUTS, INPUT_CHARACTERS = 12, 48

# Maps characters that replace the same letters to one of them: else zxcvbn tries every combination.
_ALIKE = str.maketrans("{[<|+%", "(((1tx")


def is_guessable(password: str, about: Iterable[str] = ()) -> bool:
    """`about`: personal data, such as the e-mail. Takes milliseconds, so call it off the event loop."""
    from zxcvbn_rs_py import zxcvbn  # costs 9 MB, and only processes that store passwords need it

    looked_at = _as_text(password[:CHARACTERS]).translate(_ALIKE)
    return int(zxcvbn(looked_at, _known_words(about)).score) < MIN_SCORE


def _known_words(about: Iterable[str]) -> list[str]:
    """The personal data as words: each text whole and in its parts."""
    words = ["airside"]
    for text in about:
        parts = text.lower().replace("@", " ").replace(".", " ").split()
        words += [
            _as_text(part[:INPUT_CHARACTERS])
            for part in (text.lower(), "".join(parts), *parts)
            if len(part) > 2
        ]
    return words[:INPUTS]


def _as_text(text: str) -> str:
    """Without lone surrogates, which Rust's strings can't hold."""
    return text.encode("utf-8", "replace").decode()
