"""Settings: what a process may be told from outside, checked so that a wrong word stops it before money moves."""

from shared.mesh.settings.fingerprint import money_hash
from shared.mesh.settings.loader import Configuration, hides_the_place, load_configuration, load_whereabouts
from shared.mesh.settings.model import LogSettings, MeshSettings, PathSettings, RiskSettings, Settings, VenueSettings
from shared.mesh.settings.problems import Problem, SettingsError
from shared.mesh.settings.secret_files import Credentials, load_credentials

__all__ = [
    "Configuration",
    "Credentials",
    "LogSettings",
    "MeshSettings",
    "PathSettings",
    "Problem",
    "RiskSettings",
    "Settings",
    "SettingsError",
    "VenueSettings",
    "hides_the_place",
    "load_configuration",
    "load_credentials",
    "load_whereabouts",
    "money_hash",
]
