#!/bin/sh
# Starts Airflow with its Salesforce connection in the environment, in the URI form that Airflow documents.
# The connection is called salesforce_default; another one, prod, say:
#
#   sftoken run --env AIRFLOW_CONN_PROD=airflow integration@acme.example -- airflow scheduler
#
# Airflow reads the environment once, when it starts: start it anew after a reset.
set -eu
exec sftoken run --preset airflow integration@acme.example -- airflow "$@"
