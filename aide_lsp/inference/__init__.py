"""Token ids in, token ids out: tokenizer, session, KV cache, sampler, generation loop."""
