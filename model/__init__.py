"""From shards to a bilingual multimodal model and its measurements."""
