"""
LiteLLM's paths for administration: the UI, its sign-in, keys, teams, budgets, models, settings.

Chosen from the routes of its releases (tests/stacks/rewrite_litellm_routes.py lists them). All others are for
clients: model calls, model lists, MCP, A2A, OAuth of MCP clients, health.
"""

from __future__ import annotations

from typing import Final

from stacks.application import Administration

ADMINISTRATION: Final = Administration(
    paths=(
        *("/ui", "/sso", "/login", "/v2/login", "/v3/login", "/fallback/login", "/onboarding"),
        *("/_next", "/litellm-asset-prefix", "/openapi.json", "/redoc", "/routes"),
        *("/access_group", "/active", "/adaptive_router", "/add", "/alerting", "/api/plugins", "/audit"),
        *("/auto_router", "/budget", "/cache", "/callbacks", "/cloudzero", "/compliance", "/config"),
        *("/config_overrides", "/coordination_redis", "/cost", "/cost_optimization", "/credentials"),
        *("/customer", "/debug", "/delete", "/end_user", "/fallback", "/gateway", "/get", "/global"),
        *("/guardrails", "/health/services", "/health/test_connection", "/invitation", "/jwt", "/key"),
        *("/lens", "/management", "/memory-usage", "/memory-usage-in-mem-cache"),
        *("/memory-usage-in-mem-cache-items", "/model", "/model-insights", "/model_group", "/model_hub"),
        *("/organization", "/otel-spans", "/plugin-proxy", "/policies", "/policy", "/project", "/prompts"),
        *("/provider", "/reload", "/roi-calculator", "/router", "/schedule", "/scim", "/search_tools"),
        *("/session", "/settings", "/skill-hub", "/spend", "/subscription_accounts", "/tag", "/team"),
        *("/telemetry", "/update", "/upload", "/usage", "/user", "/utils/test_policies_and_guardrails"),
        *("/v1/access_group", "/v1/agents", "/v1/mcp", "/v1/tool", "/v1/unified_access_group"),
        *("/v1/workflows", "/v2/guardrails", "/v2/key", "/v2/model", "/v2/organization", "/v2/team"),
        *("/v2/user", "/vantage", "/vector_store"),
    ),
    open_below=(
        *("/guardrails/apply_guardrail", "/model/info", "/model_group/info", "/v1/mcp/oauth"),
        *("/v1/mcp/tools", "/vector_store/list"),
    ),
    # One of its public routes (LiteLLM 1.108.7, proxy/_types.py, read 2026-11-28); its UI never asks for it.
    lists=("/routes",),
)

SIGNED_IN: Final = (
    *("/ui", "/login", "/v2/login", "/v3/login", "/fallback/login", "/onboarding", "/sso/key/generate"),
)
"""
The UI's pages and every way to log in to it by password or invitation; without one of these no browser has a
key. The UI then calls the management routes with that key, as scripts do.
"""
