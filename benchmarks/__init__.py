"""Speed of elman beside its peers, in one run on one machine."""
