"""The experts' queue: filled from the gate's verdicts, decided outside, read back."""
