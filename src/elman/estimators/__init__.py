"""The scikit-learn face; import its modules by name, so that what needs no scikit-learn stays quick to load."""
