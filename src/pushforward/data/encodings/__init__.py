"""Encodings: fields to tensors and back. Invertible ones also give log |det|; only those stand under a `log_prob`."""
