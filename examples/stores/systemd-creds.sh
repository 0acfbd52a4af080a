#!/bin/sh
# Keeps tokens as encrypted credentials of systemd, for units on this machine.
#
#   [store.default]
#   url = "exec:/usr/local/lib/sftoken/systemd-creds.sh?arg=/etc/credstore.encrypted&get=1&check=1"
#
# The file, and the credential's name, is USERNAME, a sandbox's USERNAME~sandbox. A unit reads it with
#
#   LoadCredentialEncrypted=integration@acme.example:/etc/credstore.encrypted/integration@acme.example
#
# from "$CREDENTIALS_DIRECTORY/integration@acme.example", when it is started the next time.
#
# Needs systemd 250 or newer, and root. The folder must be there: install -d -m 700 /etc/credstore.encrypted. A second
# arg= is the key to encrypt with (host, tpm2, host+tpm2); without, systemd chooses.
set -eu
umask 077

folder=$1
key=${2+--with-key=$2}
name=${SFTOKEN_USERNAME-}
case $name in
    *[!A-Za-z0-9._@+\'-]*) echo "this username cannot be the name of a credential" >&2; exit 1 ;;
esac
case ${SFTOKEN_ORG-} in sandbox) name=$name~sandbox ;; esac

if ! [ -d "$folder" ]; then
    echo "$folder is not there" >&2
    exit 1
fi

case $SFTOKEN_ACTION in
    put)
        new=$folder/.$name.new
        trap 'rm -f "$new"' EXIT
        systemd-creds encrypt --name="$name" ${key:+"$key"} - "$new"
        mv -f "$new" "$folder/$name"
        ;;
    get)
        if [ -e "$folder/$name" ]; then systemd-creds decrypt --name="$name" "$folder/$name" -; fi
        ;;
    # is there a key?
    check) echo check | systemd-creds encrypt --name=check ${key:+"$key"} - - >/dev/null ;;
esac
