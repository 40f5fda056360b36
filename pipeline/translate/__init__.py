"""From curated English samples to Arabic drafts: units, closed table, memory, calls, refinement."""
