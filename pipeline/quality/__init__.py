"""The gate: deterministic checks and a sentence encoder give each translation a score, a verdict and its reasons."""
