"""Pages that open in a browser, without a connection: the report on a model, and the unrolled view."""
