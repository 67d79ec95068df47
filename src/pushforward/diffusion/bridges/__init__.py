"""What a bridge is made of: the noise on its way, two drifts, and the units in which near is near."""
