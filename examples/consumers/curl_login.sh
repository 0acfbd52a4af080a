#!/bin/sh
# Logs in with curl.
#
#   sftoken run --env SF_LOGIN=login --env SF_USERNAME=username --env SF_URL=url \
#       integration@acme.example -- ./curl_login.sh
#
# The request goes to curl on standard input: an argument could be read by every user of the machine.
set -eu

escaped() { printf '%s' "$1" | sed 's/&/\&amp;/g; s/</\&lt;/g; s/>/\&gt;/g'; }

answer=$(
    curl --silent --show-error --data-binary @- \
        --header 'Content-Type: text/xml' --header 'SOAPAction: ""' \
        "${SF_LOGIN_URL:-$SF_URL}/services/Soap/u/60.0" <<XML
<se:Envelope xmlns:se="http://schemas.xmlsoap.org/soap/envelope/"><se:Header/><se:Body>
<login xmlns="urn:partner.soap.sforce.com"><username>$(escaped "$SF_USERNAME")</username>
<password>$(escaped "$SF_LOGIN")</password></login></se:Body></se:Envelope>
XML
)
case $answer in
    *'<serverUrl>'*)
        # only the host: the answer holds a session
        host=${answer#*<serverUrl>http*://}
        case $host in *'<'*) host=${host%%<*} ;; esac
        echo "$SF_USERNAME is logged in to ${host%%/*}"
        ;;
    *)
        fault=${answer#*<faultstring>}
        echo "${fault%%</faultstring>*}" >&2
        exit 1
        ;;
esac
