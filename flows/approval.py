"""The release gate: a run that may not go on without a person waits for one on the Prefect server's pages.

In: what was selected. Out: the approval, which `bimedv release approve` may have given before. A server that lives for one run
alone has no page to which anybody could come back, so there a run stops (exit 3) and says how to approve.
"""

from prefect.exceptions import FlowPauseTimeout
from prefect.flow_runs import pause_flow_run
from prefect.input import RunInput
from prefect.runtime import flow_run
from pydantic import Field

from flows import progress
from flows.server import is_for_this_run
from pipeline.approval import Approval, demanded, figures, figures_text, record, recorded
from pipeline.select import Selection
from pipeline.settings import Settings
from pipeline.workspace import Workspace
from schemas.errors import StoppedError


class Decision(RunInput):
    """What the page asks for when the run is resumed."""

    approve: bool = Field(default=False, description="Leave it off to refuse the release.")
    by: str = Field(min_length=1, max_length=80, description="Your name or pseudonym; it stands in the manifest.")
    reason: str = Field(min_length=1, max_length=500, description="Why; it stands in the manifest.")


def approval(settings: Settings, workspace: Workspace, chosen: Selection, config: str) -> Approval | None:
    """The approval, None where the config asks for none. Raises StoppedError where it is missing, refused, or came too late."""
    if not settings.release.approval:
        return None
    if recorded(settings, workspace, chosen) is None and not is_for_this_run():
        said = _asked(settings, figures_text(figures(settings, workspace, chosen)))
        given = Approval(selection=chosen.fingerprint, approved=said.approve, by=said.by, reason=said.reason)
        record(settings, workspace, given)
    return demanded(settings, workspace, chosen, config)


def _asked(settings: Settings, shown: str) -> Decision:
    hours = settings.release.approval_hours
    name = f"{settings.release.name} {settings.release.version}"
    progress.log.info("release: %s waits for a person's approval: %s", name, flow_run.ui_url)
    form = Decision.with_initial_data(description=f"**May {name} go out?**\n\n{shown}")
    try:
        said: Decision = pause_flow_run(wait_for_input=form, timeout=int(hours * 3600), poll_interval=2)
    except FlowPauseTimeout:
        raise StoppedError(f"nobody approved {name} within {hours:g} hours; nothing was released. Run it again.") from None
    return said
