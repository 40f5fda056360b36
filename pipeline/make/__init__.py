"""English samples that a language model makes of curated ones, as the paper makes part of BiMed-V; each held to its source."""
