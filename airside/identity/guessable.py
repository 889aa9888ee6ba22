"""Whether a password is among the first that somebody would try: common ones, words, names, dates, keyboard rows.

Judged by zxcvbn, which knows lists of them and the usual ways of changing them. Its work grows with the length, and
steeply with the characters that can stand for several letters, so both are bounded here.
"""

from collections.abc import Iterable

MIN_SCORE = 3  # of 0 to 4: more than 10^8 guesses, as zxcvbn counts them
CHARACTERS = 24  # that are looked at: what begins with so many good ones is good
INPUTS, INPUT_CHARACTERS = 12, 48

# Characters that stand for the same letters, as one of them: else every way to combine them is tried.
_ALIKE = str.maketrans("{[<|+%", "(((1tx")


def is_guessable(password: str, about: Iterable[str] = ()) -> bool:
    """`about`: what others know of the person, such as the e-mail. Takes milliseconds, so off the event loop."""
    from zxcvbn_rs_py import zxcvbn  # 9 MB, which only a process needs that stores passwords

    looked_at = _as_text(password[:CHARACTERS]).translate(_ALIKE)
    return int(zxcvbn(looked_at, _known_words(about)).score) < MIN_SCORE


def _known_words(about: Iterable[str]) -> list[str]:
    """What is known of somebody, whole and in its parts."""
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
