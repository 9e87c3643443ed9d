"""Computes the fixed orders in samplers.rs, from the descriptions of the algorithms alone: `python3 orders.py`.

ChaCha with 8 rounds (RFC 8439's quarter round, a 64-bit counter and a 64-bit stream number), seeded from a u64 by PCG32 as
rand_core documents, and the draws as the samplers describe them.
"""

import struct

MASK = 0xFFFFFFFF


def seeded(seed):
    state, key = seed, []
    for _ in range(8):
        state = (state * 6364136223846793005 + 11634580027462260723) % 2**64
        shifted, turn = (((state >> 18) ^ state) >> 27) & MASK, state >> 59
        key.append(((shifted >> turn) | (shifted << (32 - turn))) & MASK)
    return key


def block(key, counter, stream):
    halves = lambda n: [n & MASK, n >> 32]
    start = list(struct.unpack("<4I", b"expand 32-byte k")) + key + halves(counter) + halves(stream)
    x = start[:]

    def quarter(a, b, c, d):
        for left, right, other, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            x[left] = (x[left] + x[right]) & MASK
            mixed = x[other] ^ x[left]
            x[other] = ((mixed << turn) | (mixed >> (32 - turn))) & MASK

    for _ in range(4):
        for i in range(4):
            quarter(i, 4 + i, 8 + i, 12 + i)
        for i in range(4):
            quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    return [(a + b) & MASK for a, b in zip(x, start)]


def numbers(seed, stream):
    key, counter = seeded(seed), 0
    while True:
        words = block(key, counter, stream)
        yield from (low | high << 32 for low, high in zip(words[::2], words[1::2]))
        counter += 1


def shuffled(draws, length):
    order = list(range(length))
    for last in range(length - 1, 0, -1):
        other = next(draws) * (last + 1) >> 64
        order[last], order[other] = order[other], order[last]
    return order


def weighted(draws, weights, count, replacement):
    """By sums in a binary tree: only the order of the additions matters."""
    leaves = 1
    while leaves < len(weights):
        leaves *= 2
    weights = weights + [0.0] * (leaves - len(weights))

    def total(first, length):
        if length == 1:
            return weights[first]
        return total(first, length // 2) + total(first + length // 2, length // 2)

    drawn = []
    for _ in range(count):
        left_over = (next(draws) >> 11) / 2**53 * total(0, leaves)
        first, length = 0, leaves
        while length > 1:
            length //= 2
            left, right = total(first, length), total(first + length, length)
            if not (left_over < left or right == 0.0):
                left_over -= left
                first += length
        drawn.append(first)
        if not replacement:
            weights[first] = 0.0
    return drawn


if __name__ == "__main__":
    assert shuffled(numbers(42, 3), 12) == [10, 2, 8, 3, 9, 0, 5, 1, 11, 7, 6, 4]  # that of `order.rs`
    draws = numbers(7, 2)
    print("RandomSampler, replacement:", [next(draws) * 100 >> 64 for _ in range(8)])
    draws = numbers(7, 2)
    print("RandomSampler, 12 of 5:", (shuffled(draws, 5) + shuffled(draws, 5) + shuffled(draws, 5))[:12])
    print("SubsetRandomSampler:", [[30, 10, 20, 50][position] for position in shuffled(numbers(7, 2), 4)])
    weights = [0.9, 0.4, 0.05, 0.2, 0.3, 0.1]
    print("WeightedRandomSampler, replacement:", weighted(numbers(7, 2), weights, 12, True))
    print("WeightedRandomSampler:", weighted(numbers(7, 2), weights, 6, False))
