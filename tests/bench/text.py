"""The text whose words are counted: 5,000 distinct ones, the same on every run."""

from __future__ import annotations

import random

DISTINCT = 5000
WORDS_PER_LINE = 10


def make_lines(count: int, seed: int) -> list[str]:
    """Lines of ten words each, of 5,000 distinct words of one to twelve letters."""
    dice = random.Random(seed)
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = [
        f"{''.join(dice.choices(letters, k=dice.randint(0, 9)))}{i:x}" for i in range(DISTINCT)
    ]
    return [" ".join(dice.choices(words, k=WORDS_PER_LINE)) for _ in range(count)]
