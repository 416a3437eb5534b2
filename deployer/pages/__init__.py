"""
HTML pages for reviewers: of a plan and of a run, each as one self-contained file.

The content is computed first, as frozen data (`plan_page`, `run_page`); only `html` renders it.
"""
