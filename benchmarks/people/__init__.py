"""Several people on one machine: with one engine, with one each, with llama.cpp's server."""
