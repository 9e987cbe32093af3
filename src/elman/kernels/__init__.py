"""Arrays in, arrays out: the algorithm in plain NumPy (`reference`) and its compiled twin (all the rest)."""
