// Command karpenter is Karpenter's core on instances of the EC2 simulator. Everything but the cloud provider is
// Karpenter's own code.
//
// usage: karpenter               with KUBECONFIG, EC2_SIMULATOR_URL and ZONE
//
//	karpenter crds FOLDER   writes the CustomResourceDefinitions of the AWS provider
package main

import (
	"fmt"
	"os"
	"path/filepath"

	awsapis "github.com/aws/karpenter-provider-aws/pkg/apis"
	"sigs.k8s.io/karpenter/pkg/cloudprovider/overlay"
	"sigs.k8s.io/karpenter/pkg/controllers"
	"sigs.k8s.io/karpenter/pkg/controllers/state"
	"sigs.k8s.io/karpenter/pkg/operator"
)

func main() {
	if len(os.Args) == 3 && os.Args[1] == "crds" {
		if err := writeCRDs(os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	ctx, op := operator.NewOperator()
	plain := newProvider(op.GetClient(), op.GetAPIReader(), &simulator{url: os.Getenv("EC2_SIMULATOR_URL")}, os.Getenv("ZONE"))
	decorated := overlay.Decorate(plain, op.GetClient(), op.InstanceTypeStore)
	cluster := state.NewCluster(op.Clock, op.GetClient(), decorated)
	op.WithControllers(ctx, controllers.NewControllers(
		ctx, op.Manager, op.Clock, op.GetClient(), op.EventRecorder, decorated, plain, cluster, op.InstanceTypeStore,
	)...).Start(ctx)
}

func writeCRDs(dir string) error {
	for name, crd := range map[string][]byte{
		"ec2nodeclasses": awsapis.EC2NodeClassCRD,
		"nodepools":      awsapis.NodePoolCRD,
		"nodeclaims":     awsapis.NodeClaimCRD,
		"nodeoverlays":   awsapis.NodeOverlayCRD,
	} {
		if err := os.WriteFile(filepath.Join(dir, name+".yaml"), crd, 0o644); err != nil {
			return err
		}
	}
	return nil
}
