"""How every command begins."""

import os

import structlog

from notion_backend.core.config import Settings, load_settings, unknown_keys
from notion_backend.core.logging import configure_logging
from notion_backend.operations.start import prepare_data_dir

_ONLY_OURS = 0o077

_log = structlog.get_logger(__name__)


def prepare(*, needs_data_dir: bool = True) -> Settings:
    """Return the settings; from now on there are logs, and what is written is for this user only.

    DATA_DIR is made if it is not there, unless the command leaves it alone.

    Raises:
        ConfigurationError: a setting is wrong, or DATA_DIR cannot be used.
    """
    os.umask(_ONLY_OURS)
    settings = load_settings()
    configure_logging(settings.log_format, settings.log_level)
    for warning in unknown_keys():
        _log.warning("unknown_setting", problem=warning)
    if needs_data_dir:
        prepare_data_dir(settings)
    return settings
