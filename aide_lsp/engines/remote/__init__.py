"""Models that a server runs, over HTTP: llama.cpp, OpenAI-style servers, Ollama, Mistral, DeepSeek."""
