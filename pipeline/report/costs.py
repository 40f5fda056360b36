"""What was asked of whom, and what it cost. In: the ledger. Out: one plain row an endpoint and model. One SQL query."""

from typing import Any

from sqlalchemy import Engine, case, func, select

from pipeline.database import CallRow, session


def calls_by_endpoint(engine: Engine) -> list[dict[str, Any]]:
    """Requests, ok, prompt_tokens, completion_tokens, cost_usd of each (endpoint, model), dearest first.

    Each attempt is one request, as the provider counts it. A call still `sent` counts with its reservation.
    """
    cost = func.coalesce(func.sum(CallRow.cost_usd), 0.0)
    query = (
        select(
            CallRow.endpoint,
            CallRow.model,
            func.count().label("requests"),
            func.sum(case((CallRow.state == "ok", 1), else_=0)).label("ok"),
            func.coalesce(func.sum(CallRow.prompt_tokens), 0).label("prompt_tokens"),
            func.coalesce(func.sum(CallRow.completion_tokens), 0).label("completion_tokens"),
            cost.label("cost_usd"),
        )
        .group_by(CallRow.endpoint, CallRow.model)
        .order_by(cost.desc(), CallRow.endpoint, CallRow.model)
    )
    with session(engine) as opened:
        return [dict(row) for row in opened.execute(query).mappings()]
