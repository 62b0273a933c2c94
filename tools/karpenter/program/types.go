package main

import (
	awsv1 "github.com/aws/karpenter-provider-aws/pkg/apis/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	karpv1 "sigs.k8s.io/karpenter/pkg/apis/v1"
	"sigs.k8s.io/karpenter/pkg/cloudprovider"
	"sigs.k8s.io/karpenter/pkg/scheduling"
)

// instanceTypes returns types of each size that the guide is about, the cheapest first.
func instanceTypes(zone string) []*cloudprovider.InstanceType {
	return []*cloudprovider.InstanceType{
		instanceType("t3.small", "small", "2", "2Gi", 0.02, zone),
		instanceType("m5.large", "large", "2", "8Gi", 0.10, zone),
		instanceType("m5.xlarge", "xlarge", "4", "16Gi", 0.20, zone),
	}
}

func instanceType(name, size, cpu, memory string, price float64, zone string) *cloudprovider.InstanceType {
	return &cloudprovider.InstanceType{
		Name: name,
		Requirements: scheduling.NewLabelRequirements(map[string]string{
			corev1.LabelInstanceTypeStable: name,
			corev1.LabelArchStable:         karpv1.ArchitectureAmd64,
			corev1.LabelOSStable:           string(corev1.Linux),
			corev1.LabelTopologyZone:       zone,
			karpv1.CapacityTypeLabelKey:    karpv1.CapacityTypeOnDemand,
			awsv1.LabelInstanceSize:        size,
		}),
		Offerings: cloudprovider.Offerings{{
			Available: true,
			Price:     price,
			Requirements: scheduling.NewLabelRequirements(map[string]string{
				corev1.LabelTopologyZone:    zone,
				karpv1.CapacityTypeLabelKey: karpv1.CapacityTypeOnDemand,
			}),
		}},
		Capacity: corev1.ResourceList{
			corev1.ResourceCPU:    resource.MustParse(cpu),
			corev1.ResourceMemory: resource.MustParse(memory),
			corev1.ResourcePods:   resource.MustParse("29"),
		},
		Overhead: &cloudprovider.InstanceTypeOverhead{},
	}
}

// labelsOf returns what the instance type says of its nodes.
func labelsOf(it *cloudprovider.InstanceType) map[string]string {
	labels := map[string]string{}
	for key, requirement := range it.Requirements {
		labels[key] = requirement.Any()
	}
	return labels
}
