"""What a model is found to hold fixed, by asking it."""

import numpy as np

import pushforward as pf
from pushforward.compare.controllability import controllability


class Yielding:
    """A model that holds all that it is asked for, since it knows no other record."""

    given = ()

    def __init__(self, records):
        self.records, self.schema, self.asked = records, records.schema, []

    def sample(self, n, *, given, seed):
        self.asked.append(given)
        return self.records[:1]


def test_a_text_is_asked_for_where_there_is_no_category_or_number():
    pictures = np.random.default_rng(0).integers(0, 255, (2, 4, 4), np.uint8)
    data = pf.read({"image": pictures, "caption": ["a red dot", "two blue dots"]}, text=["caption"])
    model = Yielding(data)
    assert controllability(model, data, data, None, 0) == {"holds": "any field", "exact": 1.0}
    assert model.asked == [{"caption": "a red dot"}]


def test_numbers_are_asked_for_before_texts_as_they_have_limits():
    data = pf.read({"t": ["one two", "three four"], "x": [1.5, 2.5]}, text=["t"])
    model = Yielding(data)
    assert controllability(model, data, data, None, 0) == {"holds": "any field, range or set", "exact": 1.0}
    assert model.asked == [{"x": 1.5}, {"x": pf.between(1.5, None)}]
