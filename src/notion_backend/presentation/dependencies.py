"""What endpoints ask for, each named once.

They are coroutines though they wait for nothing: a plain function costs a change of threads.
"""

from typing import Annotated

from fastapi import Depends, Request

from notion_backend.application.services import Services
from notion_backend.core.config import Settings


async def get_services(request: Request) -> Services:
    """Return the services that the composition root built."""
    services: Services = request.app.state.services
    return services


async def get_settings(request: Request) -> Settings:
    """Return the settings the process started with."""
    settings: Settings = request.app.state.settings
    return settings


ServicesDep = Annotated[Services, Depends(get_services)]
SettingsDep = Annotated[Settings, Depends(get_settings)]
