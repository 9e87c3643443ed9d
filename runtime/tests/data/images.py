"""Makes the images of `images.rs`: `images.py`, with torchvision. `resized.png` and `cropped.png` are what it makes of `source.png`, and
`decoded.png` what Pillow makes of `source.jpg`."""

import pathlib

import numpy
from PIL import Image
from torchvision.transforms import CenterCrop, Compose, Resize

FOLDER = pathlib.Path(__file__).parent / "images"


def main():
    x, y = numpy.meshgrid(numpy.arange(60), numpy.arange(43))
    waves = [numpy.sin(x / 3) * numpy.cos(y / 5), numpy.sin((x + y) / 4), ((x // 7 + y // 5) % 2) * 2.0 - 1]
    image = Image.fromarray(numpy.stack([(wave + 1) * 127.5 for wave in waves], axis=-1).astype(numpy.uint8))
    image.save(FOLDER / "source.png")
    Resize((25, 31))(image).save(FOLDER / "resized.png")
    Compose([Resize(24), CenterCrop(19)])(image).save(FOLDER / "cropped.png")
    image.save(FOLDER / "source.jpg", quality=90)
    Image.open(FOLDER / "source.jpg").convert("RGB").save(FOLDER / "decoded.png")


main()
