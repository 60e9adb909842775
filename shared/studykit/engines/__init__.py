"""An entry point per engine; each can be imported without the libraries of the others."""
