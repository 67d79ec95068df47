"""Diffusion: denoisers, samplers and guidance, and the family that learns a denoiser."""
