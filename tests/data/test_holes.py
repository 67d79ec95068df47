"""What is known laid over what was drawn, where both lack cells."""

import numpy as np
import pyarrow as pa

import pushforward as pf
from pushforward.data.holes import blank, overlay


def test_pictures_that_both_lack_stay_missing():
    pixels = np.arange(4 * 16, dtype=np.uint8).reshape(4, 4, 4)
    data = pf.read({"image": pixels, "x": [1.0, 2.0, 3.0, 4.0]})
    some = data.column("image").combine_chunks().take(pa.array([0, None, 2, None]))
    known = pf.Records(data.schema, pa.table({"image": some, "x": data.column("x")}, schema=data.schema.arrow))
    over_nothing = overlay(blank(data.schema, 4), known)
    assert over_nothing.column("image").is_valid().to_pylist() == [True, False, True, False]
    assert over_nothing[0::2].to_numpy()["image"].tolist() == pixels[0::2].tolist()
    below = pf.read({"image": 255 - pixels, "x": [0.0] * 4})
    both = overlay(below, known).to_numpy()["image"]
    assert both[0::2].tolist() == pixels[0::2].tolist() and both[1::2].tolist() == (255 - pixels)[1::2].tolist()
