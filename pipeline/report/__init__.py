"""The run report: one HTML page, a short summary for Prefect's pages, a table for the terminal.

In: RunFacts (plain data that the caller gathers) and the tables of a workspace. Out: files and text, no decisions.
"""

from pipeline.report.costs import calls_by_endpoint
from pipeline.report.facts import RunFacts
from pipeline.report.page import write_report
from pipeline.report.summary import summary_closing, summary_markdown, summary_table

__all__ = ["RunFacts", "calls_by_endpoint", "summary_closing", "summary_markdown", "summary_table", "write_report"]
