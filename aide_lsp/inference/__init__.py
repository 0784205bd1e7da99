"""Knows token ids: tokenizer, session, KV cache, sampler, loop. It does not know source code or LSP."""
