"""Writes a folder of images for `compare.py`: `images.py FOLDER`."""

import pathlib
import sys

import numpy
from PIL import Image

NUMBER, WIDTH, HEIGHT = 256, 500, 375


def main():
    generator = numpy.random.default_rng(1)
    for number in range(NUMBER):
        folder = pathlib.Path(sys.argv[1]) / f"class {number % 2}"
        folder.mkdir(parents=True, exist_ok=True)
        # shapes of all sizes, as photographs have them, and a little noise
        small = Image.fromarray(generator.integers(0, 256, (24, 32, 3), dtype=numpy.uint8))
        image = numpy.asarray(small.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)).astype(int)
        image = (image + generator.integers(-8, 9, image.shape)).clip(0, 255).astype(numpy.uint8)
        Image.fromarray(image).save(folder / f"{number}.jpg", quality=90)


main()
