#!/usr/bin/env bash
# Makes the files of Swagger UI and Redoc here from their packages of npm. This is the one place that knows the versions.
set -euo pipefail
cd "$(dirname "$0")"

swagger_ui=5.35.0
redoc=2.5.4

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

unpack() {
    npm pack --silent --pack-destination "$work" "$1" >/dev/null
    mkdir "$work/$2"
    tar -xzf "$work/$2"-*.tgz -C "$work/$2" --strip-components 1
}

# Without a name and a time in it, so that the same files come out again.
keep() { gzip -9nc "$1" >"$(basename "$1").gz"; }
licence() { sed 's/[ \t]*$//' "$1" >"$2"; }

unpack "swagger-ui-dist@$swagger_ui" swagger-ui-dist
keep "$work/swagger-ui-dist/swagger-ui-bundle.js"
keep "$work/swagger-ui-dist/swagger-ui.css"
licence "$work/swagger-ui-dist/LICENSE" LICENSE-swagger-ui
licence "$work/swagger-ui-dist/NOTICE" NOTICE-swagger-ui
licence "$work/swagger-ui-dist/swagger-ui-bundle.js.LICENSE.txt" swagger-ui-bundle.js.LICENSE.txt

unpack "redoc@$redoc" redoc
# Its logo is on another server, which the pages ask for nothing.
sed -i 's#https://cdn.redoc.ly/redoc/logo-mini.svg#data:,#' "$work/redoc/bundles/redoc.standalone.js"
keep "$work/redoc/bundles/redoc.standalone.js"
licence "$work/redoc/LICENSE" LICENSE-redoc
licence "$work/redoc/bundles/redoc.standalone.js.LICENSE.txt" redoc.standalone.js.LICENSE.txt
