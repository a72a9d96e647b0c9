"""Any table a person has, made into training data, and training data made into tokens with a loss mask."""
