#!/usr/bin/env bash
# An ENI's life by the AWS CLI, against the simulator:
#   npx eni-operator simulator --port 4510
#   ENDPOINT=http://127.0.0.1:4510 ./aws-cli.sh
set -euo pipefail
export AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any AWS_PAGER=''
ec2() { aws --region us-west-2 --endpoint-url "${ENDPOINT:?where the simulator listens}" ec2 "$@"; }

# The simulator starts without instances. This adds one, past EC2's API.
instance=$(curl -sSf -X POST -d '{"type":"m5.large","zone":"us-west-2a"}' "$ENDPOINT/_control/instances" |
  sed 's/.*"id":"\(i-[0-9a-f]*\)".*/\1/')

subnet=$(ec2 describe-subnets --output text --query 'Subnets[0].SubnetId' \
  --filters Name=tag:Name,Values=net1 Name=availability-zone,Values=us-west-2a)
group=$(ec2 describe-security-groups --output text --query 'SecurityGroups[0].GroupId' \
  --filters Name=group-name,Values=net1)
eni=$(ec2 create-network-interface --subnet-id "$subnet" --groups "$group" \
  --output text --query NetworkInterface.NetworkInterfaceId)
attachment=$(ec2 attach-network-interface --network-interface-id "$eni" --instance-id "$instance" \
  --device-index 1 --output text --query AttachmentId)
ec2 describe-network-interfaces --output text \
  --filters Name=attachment.instance-id,Values="$instance" \
  --query 'NetworkInterfaces[].[NetworkInterfaceId,Attachment.DeviceIndex,Status]'
ec2 detach-network-interface --attachment-id "$attachment"
ec2 delete-network-interface --network-interface-id "$eni"
echo "$eni is deleted"
