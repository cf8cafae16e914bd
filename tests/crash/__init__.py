"""Kills real processes at any moment and proves that nothing acknowledged was lost.

`scripts/crash` runs it for long, `test_crash.py` for two minutes, `test_planted_bugs.py` shows that
it notices what it is there for. `docs/delivery.md` says what holds after each round (I1 to I11).
"""
