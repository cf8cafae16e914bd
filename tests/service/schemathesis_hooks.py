"""What no schema can express, told to Schemathesis; see `test_schemathesis.py`.

A format whose good values only the service can tell has a generator here. Its bad values, and all
else, are generated from the description.
"""

import re
from typing import Any
from uuid import uuid4

import schemathesis
from hypothesis import strategies as st

WORDS = ("anchor", "bramble", "copper", "dune", "ember", "fjord", "grove", "harbour")

# A cursor is sealed by the service: the empty one is all that can be made up.
schemathesis.openapi.format("cursor", st.just(""))

# What a generator likes best, one character again and again, is refused as easily guessed.
schemathesis.openapi.format(
    "password", st.lists(st.sampled_from(WORDS), min_size=4, max_size=8, unique=True).map(" ".join)
)


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Use no idempotency key twice: with other content, which each request has, it is refused."""
    key = (case.headers or {}).get("Idempotency-Key")
    if isinstance(key, str) and re.fullmatch("[!-~]{1,255}", key):
        case.headers["Idempotency-Key"] = uuid4().hex


@schemathesis.hook
def filter_case(context: Any, case: Any) -> bool:
    """Leave out what says nothing about the service."""
    return not (_shuts_the_run_out(case) or _sends_another_type_as_a_file(case))


def _shuts_the_run_out(case: Any) -> bool:
    """Tell whether the administrator as whom the run signs in would be changed."""
    user_id = (case.path_parameters or {}).get("user_id")
    return case.operation.label == "PATCH /api/v1/users/{user_id}" and str(user_id) == "1"


def _sends_another_type_as_a_file(case: Any) -> bool:
    """Tell whether the résumé is a number, a list or an object: as a file that is good text."""
    if case.operation.label != "POST /api/v1/leads" or not isinstance(case.body, dict):
        return False
    resume = case.body.get("resume", "")
    return resume is None or isinstance(resume, bool | int | float | list | dict)
