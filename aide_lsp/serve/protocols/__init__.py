"""What other clients send: parameters, prompts, and limits, in the terms of OpenAI and llama.cpp."""
