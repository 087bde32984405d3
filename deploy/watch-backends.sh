#!/bin/sh
# Reload nginx when the addresses behind `backend` or the certificate change.
# nginx reads both only when it starts or reloads. Before version 1.27.3 it cannot do more by itself.
state() {
    getent ahostsv4 backend | cut -d ' ' -f 1 | sort -u
    cksum /etc/nginx/tls/certificate.pem
}
(
    seen=$(state)
    while sleep 1; do
        now=$(state)
        if [ "$now" != "$seen" ] && nginx -t -q && nginx -s reload; then
            seen=$now
        fi
    done
) &
