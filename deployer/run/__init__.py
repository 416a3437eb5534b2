"""One run: look, decide, act, tell, until every stack has its result. The parts of the loop, and the loop."""
