"""Training the tokenizer and the transformer from the packed data set."""
