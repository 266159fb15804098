"""The ScaleMoGen networks (arXiv 2605.11704): tokenizer, quantizer, transformer and sampler."""
