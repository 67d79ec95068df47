"""Networks: plain modules, tensors in, tensors out. This package knows no family."""
