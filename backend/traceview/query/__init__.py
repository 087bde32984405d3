"""The query language: a model, its text form, and its translation to SQL."""
