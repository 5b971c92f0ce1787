"""The paper's method, pure: weights, thresholds, confidence levels, selection and phases, on tensors and arrays."""
