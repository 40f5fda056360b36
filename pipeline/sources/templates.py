"""Instructions that we add where a corpus has none. Each stands in the translator's fixed table, reviewed once."""

REPORT = "Write the findings and impression for this chest X-ray."
IMPRESSION = "Summarize these findings as an impression."
NOTE = "Summarize this conversation between a doctor and a patient as a section of the clinical note."
VIEW = "From which view was this X-ray taken?"
FINDING = "Which finding was recorded for this chest X-ray?"

TEMPLATES = (REPORT, IMPRESSION, NOTE, VIEW, FINDING)
