"""Networks over the states of a table's fields: one after another in an order, and any from any others."""
