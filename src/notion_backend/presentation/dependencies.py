"""What endpoints ask for, each named once."""

from typing import Annotated

from fastapi import Depends, Request

from notion_backend.application.services import Services
from notion_backend.core.config import Settings


def get_services(request: Request) -> Services:
    """Return the services that the composition root built."""
    services: Services = request.app.state.services
    return services


def get_settings(request: Request) -> Settings:
    """Return the settings the process started with."""
    settings: Settings = request.app.state.settings
    return settings


ServicesDep = Annotated[Services, Depends(get_services)]
SettingsDep = Annotated[Settings, Depends(get_settings)]
