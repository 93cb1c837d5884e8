"""What runs inside a pipeline's own environment: one module per tool, and what they share.

Python 3.10 or newer; the standard library and the tool itself, nothing else.
"""
