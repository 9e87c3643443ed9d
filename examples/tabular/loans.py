"""Makes north.parquet and south.parquet, loans of two branches of a bank that does not exist: `pip install polars`, then `loans.py`.

Whether a loan is repaid is drawn with a probability that is known, the column `probability`. No model can predict better than by it, so that its
mean cross-entropy is the lowest loss that can be reached.
"""

import math
import pathlib
import random

import polars

PURPOSES = {"car": 0.0, "education": 0.5, "holiday": -1.1, "house": 0.8}


def loan(generator, is_south):
    age = generator.randint(18, 75)
    income = round(math.exp(generator.gauss(3.6, 0.5)), 1)
    amount = round(math.exp(generator.gauss(2.3, 0.9)), 1)
    employed = min(round(generator.expovariate(1 / 6), 1), age - 17.0)
    purpose = generator.choice(list(PURPOSES))
    burden = math.log(amount / income)
    # a fourth of the customers do not say how long they have been employed
    is_known = generator.random() > 0.25
    steadiness = math.tanh(employed / 4) if is_known else 0.3
    score = 0.4 - 1.3 * burden - 0.9 * burden**2 * (burden > 0) + 1.2 * steadiness + PURPOSES[purpose]
    # the young and the old repay less; in the south, long employment matters more
    score += -0.0025 * (age - 45) ** 2 + is_south * (0.6 * steadiness - 1.6)
    probability = 1 / (1 + math.exp(-score))
    return {
        "age": age,
        "income": income,
        "amount": amount,
        "employed": employed if is_known else None,
        "purpose": purpose,
        "repaid": generator.random() < probability,
        "probability": probability,
    }


def main():
    generator = random.Random(7)
    types = {"age": polars.UInt8, "income": polars.Float32, "amount": polars.Float32, "employed": polars.Float32,
             "probability": polars.Float32}
    for branch, rows in [("north", 8000), ("south", 2000)]:
        loans = polars.DataFrame([loan(generator, branch == "south") for _ in range(rows)]).cast(types)
        loans.write_parquet(pathlib.Path(__file__).with_name(f"{branch}.parquet"), compression="zstd")


main()
