"""The verbs on data: plain functions over chunks of rows, run and tested without any orchestrator."""
