"""What the weather usually is: mean daily lows and highs in °C, from January to December."""

import re
from typing import NamedTuple


class City(NamedTuple):
    id: str
    name: str
    lows: tuple[int, ...]
    highs: tuple[int, ...]

    def temperatures(self, month: int) -> tuple[int, int]:
        return self.lows[month - 1], self.highs[month - 1]


CITIES = [
    City(
        "tokyo", "Tokyo, Japan",
        (1, 2, 5, 10, 15, 19, 23, 24, 21, 15, 9, 4), (10, 11, 14, 19, 24, 26, 30, 31, 28, 22, 17, 12),
    ),
    City(
        "berlin", "Berlin, Germany",
        (-1, -1, 2, 5, 9, 13, 15, 15, 11, 7, 3, 0), (3, 5, 9, 15, 20, 23, 25, 25, 20, 14, 8, 4),
    ),
    City(
        "paris-fr", "Paris, France",
        (3, 3, 5, 8, 11, 14, 16, 16, 13, 10, 6, 3), (7, 8, 12, 16, 20, 23, 26, 25, 21, 16, 11, 8),
    ),
    City(
        "paris-tx", "Paris, Texas",
        (1, 3, 7, 11, 16, 21, 23, 23, 19, 13, 7, 2), (12, 14, 19, 23, 27, 32, 34, 35, 31, 25, 18, 13),
    ),
    City(
        "sydney", "Sydney, Australia",
        (20, 20, 18, 15, 12, 10, 9, 10, 12, 14, 16, 18), (27, 27, 25, 23, 20, 18, 17, 19, 21, 23, 24, 26),
    ),
    City(
        "nairobi", "Nairobi, Kenya",
        (12, 13, 14, 15, 14, 12, 11, 12, 12, 14, 14, 13), (25, 27, 26, 25, 24, 23, 22, 23, 25, 26, 24, 24),
    ),
]  # fmt: skip


def find_cities(text: str) -> list[City]:
    """The cities that a text can mean: by its full name, else by its first word, which can be several."""
    words = set(re.findall(r"\w+", text.lower()))
    exact = [city for city in CITIES if set(re.findall(r"\w+", city.name.lower())) <= words]
    return exact or [city for city in CITIES if city.name.split(",")[0].lower() in words]
