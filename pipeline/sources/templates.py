"""Instructions that we add where a corpus has none. Each stands in the translator's fixed table, reviewed once."""

REPORT = "Write the findings and impression for this chest X-ray."
IMPRESSION = "Summarize these findings as an impression."
NOTE = "Summarize this conversation between a doctor and a patient as a section of the clinical note."
DESCRIBE = "Describe this chest X-ray."
DESCRIBE_IMAGE = "Describe this image."
VIEW = "From which view was this X-ray taken?"
FINDING = "What is the diagnosis of this patient?"

TEMPLATES = (REPORT, IMPRESSION, NOTE, DESCRIBE, DESCRIBE_IMAGE, VIEW, FINDING)
