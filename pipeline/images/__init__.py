"""Images: decoded under limits, bounded, stripped of metadata, stored by content."""
