#!/usr/bin/env bash
# Credentials for the steps that follow, without a stored key: GitHub gives the job a token, and botocore takes it to
# the role AWS_ROLE_ARN (AssumeRoleWithWebIdentity). A token lasts five minutes and the role's session longer, so a
# fresh token is fetched every four minutes until the job ends, when the runner ends this too.
# Sources: GitHub docs, "OpenID Connect reference"; AWS SDKs reference, "Assume role credential provider".
set -euo pipefail
umask 077

fail() {
  echo "::error::$1"
  exit 1
}

[ -n "${AWS_ROLE_ARN:-}" ] || fail 'no role: set the variable AWS_ROLE_ARN (gatestack docs github-actions)'
[ -n "${ACTIONS_ID_TOKEN_REQUEST_URL:-}" ] || fail 'GitHub gives this job no token: it needs permissions: id-token: write'

file="$RUNNER_TEMP/aws-token"
fetch() { # the token that asks is on no command line
  python3 "$(dirname "$0")/../fetch.py" --bearer ACTIONS_ID_TOKEN_REQUEST_TOKEN \
    "$ACTIONS_ID_TOKEN_REQUEST_URL&audience=sts.amazonaws.com" |
    python3 -c 'import json, sys; sys.stdout.write(json.load(sys.stdin)["value"])' > "$file.new" &&
    mv "$file.new" "$file"
}

fetch || fail 'GitHub gives no token: why stands above'
(while sleep "${TOKEN_SECONDS:-240}"; do fetch || true; done) < /dev/null > /dev/null 2>&1 &
{
  echo "AWS_WEB_IDENTITY_TOKEN_FILE=$file"
  echo "AWS_ROLE_SESSION_NAME=github-actions-${GITHUB_RUN_ID:-0}"
} >> "$GITHUB_ENV"
# What the role's trust has to name; the part of the token that says so is no secret.
python3 - "$file" << 'CLAIMS'
import base64, json, sys
part = open(sys.argv[1]).read().split(".")[1:2]
try:
    claims = json.loads(base64.urlsafe_b64decode(part[0] + "=" * (-len(part[0]) % 4)))
except (IndexError, ValueError):
    claims = {}
for claim in ("iss", "sub", "aud"):
    print(f"token: {claim} {claims.get(claim, '')}")
CLAIMS
echo "the next steps are $AWS_ROLE_ARN"
