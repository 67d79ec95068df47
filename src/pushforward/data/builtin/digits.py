"""1,797 handwritten digits of 8×8 grey pixels with their labels (UCI, by way of scikit-learn)."""

import numpy as np
import pyarrow as pa

from pushforward.data import pictures

HINTS = {"label": "category"}


def load() -> pa.Table:
    """The raw table; scikit-learn's grey levels 0 to 16 become 0 to 255."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    pixels = np.rint(bunch.images * (255 / 16)).astype(np.uint8)
    return pa.table({"image": pictures.to_arrow(pixels[..., None]), "label": pa.array(bunch.target)})
