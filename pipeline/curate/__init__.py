"""From what was read to what may be learnt from: cleaned, de-identified, without copies and benchmark items."""
