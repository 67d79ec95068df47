"""How steady a loss was."""

import numpy as np

from pushforward.compare.stability import waves


def test_noise_within_a_window_is_no_oscillation_and_a_game_in_circles_is():
    rng, steps = np.random.default_rng(0), np.arange(4000)
    falling = 2 * np.exp(-steps / 800) + rng.normal(size=4000) * 0.1
    circling = 1 + 0.5 * np.sin(steps / 150)
    assert waves(falling) < 0.05 < 0.2 < waves(circling)
    assert waves(np.ones(4000)) == 0.0 and waves(np.ones(10)) is None
    assert waves(falling * 1000) == np.float64(waves(falling)) or abs(waves(falling * 1000) - waves(falling)) < 1e-9
