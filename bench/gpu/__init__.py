"""The stack's Keras layers and optimizers driven by JAX, on whatever device JAX finds."""
