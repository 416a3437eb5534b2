"""
Pages for reviewers: a plan, and a run, each as one HTML file that needs nothing else.

What a page says is worked out first, as frozen data (`plan_page`, `run_page`); `html` alone lays it out.
"""
