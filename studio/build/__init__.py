"""From a spec to a package: every stage as a job, each doing only what is not done yet."""

from studio.build.session import BuildEvent, Session, StageBegan, StageEnded, StageError, StageTold, Tell
from studio.build.stages import Built, build

__all__ = ["BuildEvent", "Built", "Session", "StageBegan", "StageEnded", "StageError", "StageTold", "Tell", "build"]
