"""Logs in with simple-salesforce, by the token that sftoken keeps in the keyring.

pip install keyring simple-salesforce
python3 simple_salesforce_login.py integration@acme.example

The password stands in the keyring as well, under the service "salesforce". Nothing of sftoken runs here.
"""

import os
import sys

import keyring
from simple_salesforce import SalesforceLogin

username = sys.argv[1]
session_id, instance = SalesforceLogin(
    username=username,
    password=keyring.get_password("salesforce", username),
    security_token=keyring.get_password("sftoken", username),
    domain=os.environ.get("SF_DOMAIN", "login"),  # "test" for a sandbox
    scratch_url=os.environ.get("SF_LOGIN_URL"),  # None, but in the tests: a server of their own
)
print(f"{username} is logged in to {instance}")
