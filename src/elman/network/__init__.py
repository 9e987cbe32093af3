"""What is computed: parameters, layers, readout, loss, and the network that puts them together."""
