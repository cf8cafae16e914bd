"""The description is exact: what it allows is taken, what it forbids is refused, and no more.

A longer run: `SCHEMATHESIS_EXAMPLES=1000 SCHEMATHESIS_SEED=7 ./scripts/test
tests/service/test_schemathesis.py`.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.servers.service import Service
from tests.service.client import SETTINGS, Client

HERE = Path(__file__).parent
SEED = os.environ.get("SCHEMATHESIS_SEED", "20261123")
EXAMPLES = os.environ.get("SCHEMATHESIS_EXAMPLES", "40")
FEWEST_CASES = 2000


@pytest.mark.long
def test_schemathesis_finds_nothing_with_all_of_its_checks(
    start_service: Callable[..., Service], tmp_path: Path
) -> None:
    service = start_service(**SETTINGS)

    run = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli"),
            *("--config-file", str(HERE / "schemathesis.toml")),
            *("run", f"{service.base_url}/openapi.json", "--checks", "all", "--no-color"),
            *("--seed", SEED, "--max-examples", EXAMPLES),
        ],
        env={**os.environ, "SCHEMATHESIS_HOOKS": str(HERE / "schemathesis_hooks.py")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    sys.stdout.write(f"{run.stdout}{run.stderr}")  # with the seed
    assert run.returncode == 0, "run the same again with the seed above"
    cases = re.search(r"(\d+) generated, \d+ passed", run.stdout)
    assert cases is not None
    assert int(cases[1]) >= FEWEST_CASES
    assert "Traceback" not in service.log
    # The run has not shut itself out, after which every answer would have been a 401.
    assert Client(service).get("/users/me").json()["role"] == "admin"
