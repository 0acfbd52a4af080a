#!/usr/bin/env python3
"""Stands in for Airflow: reads the connection as airflow.models.Connection does with a URI
(airflow.apache.org, "Managing Connections", "URI format"), and prints it as JSON."""

import json
import os
from urllib.parse import parse_qsl, unquote, urlsplit

uri = os.environ["AIRFLOW_CONN_SALESFORCE_DEFAULT"]
parts = urlsplit(uri)
connection = {
    "conn_type": parts.scheme.replace("-", "_"),
    "login": unquote(parts.username),
    "password": unquote(parts.password),
    "host": unquote(parts.hostname or ""),
    "extra": dict(parse_qsl(parts.query, keep_blank_values=True)),
}
print(json.dumps(connection))
