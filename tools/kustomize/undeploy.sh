#!/bin/sh
# Removes an overlay from the cluster, but not while ENIs exist: only the controller detaches and deletes
# them.
#
# usage: undeploy.sh OVERLAY; run it in the project's root
# ENIS in the environment says what happens to the ENIs that exist:
#   (unset)  it lists them and changes nothing
#   delete   it first deletes the NodeENIs, and with them the ENIs; a controller must be ready
#   keep     they stay, with their ENIAttachments and the CRDs, for a controller that you deploy later
set -eu

overlay=$1
kubectl=${KUBECTL:-kubectl}
here=$(dirname "$0")

controller=app.kubernetes.io/part-of=eni-operator,app.kubernetes.io/component=controller

# Whether any pod of the controller has the condition Ready.
is_controller_ready() {
  $kubectl -n eni-system get pods -l "$controller" \
    -o jsonpath='{range .items[*].status.conditions[?(@.type=="Ready")]}{.status}{"\n"}{end}' | grep -qx True
}

remove() {
  "$here/render.sh" "$overlay" | $kubectl delete --ignore-not-found -f -
}

if [ -z "$($kubectl get crd eniattachments.networking.k8s.aws --ignore-not-found -o name)" ]; then
  remove
  exit
fi
left=$($kubectl get nodeenis,eniattachments -o name)
if [ -z "$left" ]; then
  remove
  exit
fi
case ${ENIS:-} in
  delete)
    if ! is_controller_ready; then
      {
        echo "Refused: no controller is ready, and only the controller detaches and deletes ENIs."
        echo
        $kubectl -n eni-system get pods -l "$controller"
        echo
        echo "Deploy it again or fix what prevents it from becoming ready (docs/troubleshooting.md), then try again."
        echo "make undeploy ENIS=keep     keeps the ENIs, their ENIAttachments and the CRDs for a controller that you deploy later"
      } >&2
      exit 1
    fi
    $kubectl delete nodeenis --all --wait --timeout="${TIMEOUT:-15m}"
    # An ENIAttachment without its NodeENI is removed by the controller, so this only waits.
    $kubectl wait --for=delete eniattachments --all --timeout="${TIMEOUT:-15m}"
    remove
    ;;
  keep)
    export CRDS=keep
    remove
    ;;
  *)
    {
      echo "Refused: these ENIs exist, and only the controller detaches and deletes them."
      echo
      $kubectl get eniattachments -o custom-columns=NODEENI:.spec.nodeENI,NODE:.spec.nodeName,ENI:.status.eniID,PHASE:.status.phase
      $kubectl get nodeenis -o custom-columns=NODEENI:.metadata.name,DESIRED:.status.desired,ATTACHED:.status.attached
      echo
      echo "make undeploy ENIS=delete   deletes the NodeENIs, waits until their ENIs are gone, then continues"
      echo "make undeploy ENIS=keep     keeps them, their ENIAttachments and the CRDs for a controller that you deploy later"
    } >&2
    exit 1
    ;;
esac
