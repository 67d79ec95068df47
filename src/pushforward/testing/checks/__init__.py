"""The checks of the contract, a file for each group; each is handed a `Case` and raises `AssertionError`."""
