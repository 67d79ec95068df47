"""The game of generator and discriminator: losses, penalties, augmentation, and the family that plays it."""
