#!/bin/sh
# Takes an overlay out of the cluster, but not while ENIs exist: without the controller nobody would
# detach and delete them.
#
# usage: undeploy.sh OVERLAY; run it in the project's root
# ENIS in the environment says what becomes of ENIs that there are:
#   (unset)  nothing is done, and they are listed
#   delete   the NodeENIs are deleted first, and with them the ENIs, while the controller runs
#   keep     they stay, with their records and the CRDs, for a controller deployed later
set -eu

overlay=$1
kubectl=${KUBECTL:-kubectl}
here=$(dirname "$0")

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
    $kubectl delete nodeenis --all --wait --timeout="${TIMEOUT:-15m}"
    # A record whose NodeENI was deleted before it goes by itself.
    $kubectl wait --for=delete eniattachments --all --timeout="${TIMEOUT:-15m}"
    remove
    ;;
  keep)
    export CRDS=keep
    remove
    ;;
  *)
    {
      echo "Refused: these ENIs exist, and without the controller nobody would detach and delete them."
      echo
      $kubectl get eniattachments -o custom-columns=NODEENI:.spec.nodeENI,NODE:.spec.nodeName,ENI:.status.eniID,PHASE:.status.phase
      $kubectl get nodeenis -o custom-columns=NODEENI:.metadata.name,DESIRED:.status.desired,ATTACHED:.status.attached
      echo
      echo "make undeploy ENIS=delete   deletes the NodeENIs, waits until their ENIs are gone, then goes on"
      echo "make undeploy ENIS=keep     leaves them, their records and the CRDs for a controller deployed later"
    } >&2
    exit 1
    ;;
esac
