"""An ENI's life by boto3, against the simulator, with a limit of the instance type:

npx eni-operator simulator --port 4510
python3 boto3_example.py http://127.0.0.1:4510
"""

import json
import sys
import urllib.request

import boto3
from botocore.exceptions import ClientError

endpoint = sys.argv[1]
ec2 = boto3.client(
    "ec2",
    endpoint_url=endpoint,
    region_name="us-west-2",
    aws_access_key_id="any",
    aws_secret_access_key="any",
)


def add_instance(**spec: str) -> str:
    """The simulator starts without instances. This adds one, past EC2's API."""
    request = urllib.request.Request(
        f"{endpoint}/_control/instances", json.dumps(spec).encode(), method="POST"
    )
    return json.load(urllib.request.urlopen(request))["id"]


def by_name(name: str, value: str) -> list[dict]:
    return [{"Name": name, "Values": [value]}]


# A t3.medium takes three interfaces, the one that it was launched with among them.
instance = add_instance(type="t3.medium", zone="us-west-2a")
subnets = ec2.describe_subnets(Filters=by_name("tag:Name", "net1"))["Subnets"]
subnet = next(s for s in subnets if s["AvailabilityZone"] == "us-west-2a")
groups = ec2.describe_security_groups(Filters=by_name("group-name", "net1"))

enis = []
for index in (1, 2, 3):
    eni = ec2.create_network_interface(
        SubnetId=subnet["SubnetId"], Groups=[groups["SecurityGroups"][0]["GroupId"]]
    )["NetworkInterface"]["NetworkInterfaceId"]
    enis.append(eni)
    try:
        ec2.attach_network_interface(
            NetworkInterfaceId=eni, InstanceId=instance, DeviceIndex=index
        )
        print(f"{eni} is attached at device index {index}")
    except ClientError as error:
        print(f"device index {index}: {error.response['Error']['Code']}")

for eni in enis:
    found = ec2.describe_network_interfaces(NetworkInterfaceIds=[eni])["NetworkInterfaces"][0]
    if "Attachment" in found:
        ec2.detach_network_interface(AttachmentId=found["Attachment"]["AttachmentId"])
    ec2.delete_network_interface(NetworkInterfaceId=eni)
print(f"{len(enis)} ENIs are deleted")
