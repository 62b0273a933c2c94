#!/bin/sh
# Prints an overlay of kustomize/overlays, as `make deploy` applies it. Run it in the project's root.
#
# usage: render.sh OVERLAY
# Environment, each optional:
#   IMG        the image, NAME:TAG or NAME@DIGEST
#   REGION     AWS Region of the nodes
#   COMPONENTS folders of kustomize/components to add, separated by spaces
#   ROLE_ARN   IAM role of the controller's service account (IRSA)
#   CRDS=keep  leaves the CustomResourceDefinitions out
#   KUSTOMIZE  the command that builds a directory. Default: `kustomize build`, or else `kubectl kustomize`, or
#              else a kustomize that Go installs once into your cache
#
# The edits go into a temporary kustomization on top of the overlay, so that no file of the project changes.
set -eu

overlay=kustomize/overlays/$1
if [ ! -f "$overlay/kustomization.yaml" ]; then
  echo "Unknown overlay $1. Choose one of: $(ls kustomize/overlays | tr '\n' ' ')" >&2
  exit 1
fi
kustomize_version=v5.8.1
installed_kustomize() {
  bin=${XDG_CACHE_HOME:-$HOME/.cache}/eni-operator/kustomize/$kustomize_version
  if [ ! -x "$bin/kustomize" ]; then
    echo "Installing kustomize $kustomize_version" >&2
    GOWORK=off GOFLAGS=-trimpath GOBIN=$bin go install "sigs.k8s.io/kustomize/kustomize/v5@$kustomize_version" >&2
  fi
  echo "$bin/kustomize build"
}

kubectl=${KUBECTL:-kubectl}
if [ -n "${KUSTOMIZE:-}" ]; then
  :
elif command -v kustomize >/dev/null; then
  KUSTOMIZE='kustomize build'
elif command -v "${kubectl%% *}" >/dev/null; then
  KUSTOMIZE="$kubectl kustomize"
else
  KUSTOMIZE=$(installed_kustomize)
fi

mkdir -p dist
dir=$(mktemp -d dist/render-XXXXXX)
trap 'rm -rf "$dir"' EXIT

{
  echo "apiVersion: kustomize.config.k8s.io/v1beta1"
  echo "kind: Kustomization"
  echo "resources: [../../$overlay]"
  if [ -n "${COMPONENTS:-}" ]; then
    echo "components:"
    for component in $COMPONENTS; do echo "- ../../kustomize/components/$component"; done
  fi
  if [ -n "${IMG:-}" ]; then
    echo "images:"
    case $IMG in
      *@*) printf -- '- {name: eni-operator, newName: "%s", digest: "%s"}\n' "${IMG%@*}" "${IMG#*@}" ;;
      *:*) # The last colon may be that of a port.
        case ${IMG##*:} in
          */*) printf -- '- {name: eni-operator, newName: "%s", newTag: latest}\n' "$IMG" ;;
          *) printf -- '- {name: eni-operator, newName: "%s", newTag: "%s"}\n' "${IMG%:*}" "${IMG##*:}" ;;
        esac ;;
      *) printf -- '- {name: eni-operator, newName: "%s", newTag: latest}\n' "$IMG" ;;
    esac
  fi
  if [ -n "${REGION:-}" ]; then
    echo "configMapGenerator:"
    printf -- '- {name: eni-operator-controller, namespace: eni-system, behavior: merge, literals: ["AWS_REGION=%s"]}\n' "$REGION"
  fi
  if [ -n "${ROLE_ARN:-}${CRDS:-}" ]; then echo "patches:"; fi
  if [ -n "${ROLE_ARN:-}" ]; then
    cat <<EOF
- target: {kind: ServiceAccount, name: eni-operator-controller}
  patch: |
    - op: add
      path: /metadata/annotations
      value: {eks.amazonaws.com/role-arn: "$ROLE_ARN"}
EOF
  fi
  if [ "${CRDS:-}" = keep ]; then
    cat <<EOF
- target: {kind: CustomResourceDefinition}
  patch: |
    apiVersion: apiextensions.k8s.io/v1
    kind: CustomResourceDefinition
    metadata: {name: any}
    \$patch: delete
EOF
  fi
} >"$dir/kustomization.yaml"

$KUSTOMIZE "$dir"
