"""Writes table.json: what Python's `format` makes of numbers, for the names of checkpoint files. Needs Python 3.11 to 3.13.

Each row is a number, a format and the text; null stands for a format that Python refuses for numbers of this type. Infinities and
NaN are text.
"""

import json
import random
from pathlib import Path

WHOLE = [0, 1, -1, -1234, 5, 12, 255, 999, 1000, 4096, 123456, 1234567, 2**31, 2**53, 2**63 - 1]
FLOATS = [
    0.0, -0.0, 1.0, -1.0, 0.5, 1.5, 2.5, 0.1, 2.605428099632263, -0.0004, 0.0001, 0.00001234, 9.9999, 99.95, 0.999999,
    100.0, 1234.5678, 999999.5, 1234567.891, 1e15, 1e16, 123456789012345678.0, 1e22, 1e100, 5e-324, 1.7976931348623157e308,
    0.10000000149011612, float("inf"), float("-inf"), float("nan"),
]  # fmt: skip
FORMATS_OF_THE_ISSUE = ["", ".2%", ".2f", "03d", "d", ".1e", "02", "+.3g", "z.1f", "#x", "_b", ",", "n", ".3", "010,.1f"]
ROWS = 6000


def some(choices, generator, chance):
    return generator.choice(choices) if generator.random() < chance else ""


def specification(generator):
    align = some(["<", ">", "^", "="], generator, 0.25)
    fill = some(["*", "0", "_", "-", "+", ".", "ä", "z", "<"], generator, 0.6) if align else ""
    return "".join(
        [
            fill,
            align,
            some(["+", "-", " "], generator, 0.25),
            some(["z"], generator, 0.1),
            some(["#"], generator, 0.2),
            some(["0"], generator, 0.2),
            some([str(width) for width in (1, 2, 5, 8, 9, 10, 11, 12, 15, 20, 30)], generator, 0.5),
            some([",", "_"], generator, 0.3),
            some([f".{precision}" for precision in (0, 1, 2, 3, 6, 10, 17, 25)], generator, 0.4),
            # a type that is no number's, and text where none belongs, must be refused
            some(list("bdoxXeEfFgGn%"), generator, 0.8) or some(["s", "q", "ff", ".", ",,", "_,"], generator, 0.1),
        ]
    )


def formatted(number, specification):
    try:
        return format(number, specification)
    except (ValueError, OverflowError):
        return None


def in_json(number):
    return repr(number) if number != number or number in (float("inf"), float("-inf")) else number


def main():
    generator = random.Random(0)
    rows = [(number, form) for number in WHOLE + FLOATS for form in FORMATS_OF_THE_ISSUE]
    while len(rows) < ROWS:
        number = generator.choice(WHOLE if generator.random() < 0.4 else FLOATS)
        if generator.random() < 0.3:
            number = generator.randrange(10**9) if isinstance(number, int) else generator.uniform(-1, 1) * 10 ** generator.randint(-12, 20)
        rows.append((number, specification(generator)))
    lines = [json.dumps([in_json(number), form, formatted(number, form)], ensure_ascii=False) for number, form in rows]
    Path(__file__).with_name("table.json").write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")


main()
