"""Samplers, a file each: (denoiser, x, sigmas, …) → an iterator of states, as long as the paper's algorithm."""
