"""Drawing: arrays as figures and moving pictures. This package knows no family, no training and no network."""
