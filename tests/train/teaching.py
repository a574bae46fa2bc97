"""What a teacher may teach, as a value that tests can compare."""

from edgeseld.core.errors import TrainingError
from edgeseld.core.recipe import ModelFile
from edgeseld.train.teachers import require_teachable


def why_refused(student: ModelFile, teacher: ModelFile, *, live: bool) -> str | None:
    """Why the teacher cannot teach this student; None where it can."""
    try:
        require_teachable(student, teacher, live=live)
    except TrainingError as error:
        return str(error)
    return None
