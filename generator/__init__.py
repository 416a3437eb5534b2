"""Environment -> built folder: render, lint, diagrams. Empty: importing `generator.manifest` is cheap."""
