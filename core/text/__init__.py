"""Text encoders: a prompt becomes token states that condition the transformer.

Importing this package imports neither torch nor transformers; the encoder modules do, once loaded.
"""
