"""One run: observe, decide, act, report, until every stack has its result. The loop and its parts."""
