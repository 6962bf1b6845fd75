"""Python functions for 03_python_function.c: `./a.out thread texts:is_long`."""


def is_long(word: str) -> bool:
    """Whether the word has more than four letters."""
    return len(word) > 4
