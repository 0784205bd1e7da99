"""The pre-tokenizers that the converter knows, for the page about models."""

import textwrap

from aide_lsp.convert.vocabulary.pre_tokenizers import PRE_TOKENIZERS


def pre_tokenizer_list() -> str:
    """Render the names of all pre-tokenizers as one paragraph."""
    return textwrap.fill(f"{', '.join(f'`{name}`' for name in sorted(PRE_TOKENIZERS))}.", width=120)
