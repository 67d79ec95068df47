"""The number of which all values are multiples, at the ends of what there are numbers for too."""

import numpy as np
import pytest

from pushforward.data.spacing import common_measure

MEASURES = [1.15078, 0.1, 3.0, 2.5e-310, 7e-300, 3e300]


@pytest.mark.parametrize("measure", MEASURES)
def test_multiples_give_their_measure(measure):
    values = np.array([4, 6, 9, 20], float) * measure
    found = common_measure(values)
    assert found == pytest.approx(measure, rel=1e-9)


@pytest.mark.parametrize("values", [[1.0, 2.2e-311], [1e-310, 1.7e308], [5e-324, 1.0, np.pi], [1.7e308, 1.23e-3]])
def test_values_too_far_apart_have_none(values):
    assert common_measure(np.array(values)) is None


def test_what_cannot_be_exact_is_not_written_with_fewer_digits():
    u = np.array([8.9e307, 1.7e308])
    found = common_measure(u)
    assert found is not None and np.allclose(np.rint(u / found) * found, u, rtol=1e-9)
