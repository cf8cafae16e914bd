"""Sentences for people that can be said in another language later.

A sentence is raised or stored in English, where the rule is; only a page or a mail knows who reads
it. What is fixed is looked up as it stands; what holds values is built by `say`.
"""

from collections.abc import Mapping


class Sentence(str):
    """An English sentence that remembers what it was made of."""

    __slots__ = ("template", "values")

    template: str
    values: Mapping[str, object]


def say(template: str, /, **values: object) -> Sentence:
    """Return `template` with `{name}` filled in; values that are sentences are said like it."""
    sentence = Sentence(template.format_map(values))
    sentence.template = template
    sentence.values = values
    return sentence
