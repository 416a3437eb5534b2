"""The only place that speaks to AWS, through botocore: our words in, our words out."""
