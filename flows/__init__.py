"""The front doors: Prefect flows, deployments and the `bimedv` command."""
