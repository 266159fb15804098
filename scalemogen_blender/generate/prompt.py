"""What may be asked of the model."""

#: The model reads about the first 60 words; nobody means to send it a book.
MAX_LENGTH = 1000


def clean(prompt: str) -> str:
    """The prompt in one line without spaces around it."""
    return " ".join(prompt.split())


def problem(prompt: str) -> str:
    """Why a cleaned prompt cannot be used, with the remedy; empty if it can."""
    if not prompt:
        return "Type what the character should do"
    if not any(letter.isalnum() for letter in prompt):
        return "The prompt has no words; type what the character should do"
    if len(prompt) > MAX_LENGTH:
        return f"The prompt has {len(prompt)} letters; shorten it to {MAX_LENGTH}"
    return ""


def is_foreign(prompt: str) -> bool:
    """Whether most of its letters are of no English word, which the model does not understand."""
    letters = [letter for letter in prompt if letter.isalpha()]
    return sum(not letter.isascii() for letter in letters) * 2 > len(letters)
