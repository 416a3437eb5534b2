"""Environment -> built folder: render, lint, draw. Empty: importing `generator.manifest` costs nothing."""
