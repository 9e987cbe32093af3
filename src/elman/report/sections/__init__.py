"""The parts of a report, one module each: facts in, a section out."""
