"""The model beside others on the same file: paired differences, told from chance."""

from __future__ import annotations

import numpy as np

from elman.insight.comparison import compare
from elman.report.blocks import Section
from elman.report.comparison import comparison_section
from elman.report.facts import Facts


def against(facts: Facts) -> Section | None:
    """Compare with the other models that were given; nothing where there are none."""
    if not facts.others:
        return None
    mine = facts.model.name
    mine = mine if mine not in facts.others else f"{mine} (this model)"
    labels = facts.labels_of(np.arange(len(facts.sequences)))
    return comparison_section(compare({mine: facts.estimator} | facts.others, facts.sequences, labels, ids=facts.ids))
