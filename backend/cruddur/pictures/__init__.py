"""Read and re-encode picture files of unknown origin. Imports nothing of the service."""
