"""The shell of every service: a process says what it is in a `Plan`, and `run` does the rest."""

from shared.mesh.service.plan import Inherits, JournaledPlan, Outside, Plan
from shared.mesh.service.start import run

__all__ = ["Inherits", "JournaledPlan", "Outside", "Plan", "run"]
