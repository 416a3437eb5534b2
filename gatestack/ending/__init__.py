"""How a run ends on the screen: what came of it, what matters now, and which command is next."""
