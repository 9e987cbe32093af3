"""Charts of what training, gradients and predictions look like, drawn by Altair.

Each function returns a chart of Altair's, which a notebook shows, and ``chart.save("chart.svg")`` writes (also .png,
.html, .json). Its data are inside it, thinned to stay below 100 KB. Each takes, by name:

title : str, optional
    Above the chart.
width : int
    Of the plotting area, in pixels. Of several areas, which stand one above another, all have it.
theme : 'light' (the default), 'dark' or None
    The paper. None leaves the configuration out: for charts that are joined by Altair's ``|`` and ``&``, or put in a
    page that has its own (`elman.plots.theme.config`).

The library comes with the extra ``report``: ``pip install 'elman[report]'``. Without it a function raises a
MissingExtraError.
"""

from elman.plots.data import classes, lengths
from elman.plots.evidence import attribution, sequence
from elman.plots.flow import gradient_flow, gradient_history
from elman.plots.learning import learning_curves
from elman.plots.models import comparison, confidence_over_time
from elman.plots.predictions import calibration, confusion

__all__ = [
    "attribution",
    "calibration",
    "classes",
    "comparison",
    "confidence_over_time",
    "confusion",
    "gradient_flow",
    "gradient_history",
    "learning_curves",
    "lengths",
    "sequence",
]


def __dir__() -> list[str]:
    return __all__
