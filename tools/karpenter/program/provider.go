package main

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"sync"

	awsv1 "github.com/aws/karpenter-provider-aws/pkg/apis/v1"
	"github.com/awslabs/operatorpkg/status"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"
	karpv1 "sigs.k8s.io/karpenter/pkg/apis/v1"
	"sigs.k8s.io/karpenter/pkg/cloudprovider"
	"sigs.k8s.io/karpenter/pkg/scheduling"
)

// provider launches instances in the EC2 simulator, and registers their Nodes as the AWS provider's user data and
// kubelet do.
type provider struct {
	kube   client.Client
	reader client.Reader
	ec2    *simulator
	zone   string
	types  []*cloudprovider.InstanceType

	mutex  sync.Mutex
	claims map[string]*karpv1.NodeClaim // what was launched, by provider ID
}

func newProvider(kube client.Client, reader client.Reader, ec2 *simulator, zone string) *provider {
	return &provider{
		kube: kube, reader: reader, ec2: ec2, zone: zone,
		types: instanceTypes(zone), claims: map[string]*karpv1.NodeClaim{},
	}
}

func (p *provider) Create(ctx context.Context, claim *karpv1.NodeClaim) (*karpv1.NodeClaim, error) {
	nodeClass := &awsv1.EC2NodeClass{}
	if err := p.kube.Get(ctx, types.NamespacedName{Name: claim.Spec.NodeClassRef.Name}, nodeClass); err != nil {
		return nil, cloudprovider.NewInsufficientCapacityError(err)
	}
	it, err := p.cheapest(claim)
	if err != nil {
		return nil, cloudprovider.NewInsufficientCapacityError(err)
	}
	launched, err := p.ec2.launch(ctx, claim.Name, it.Name, p.zone)
	if err != nil {
		return nil, err
	}
	result := &karpv1.NodeClaim{
		ObjectMeta: metav1.ObjectMeta{Name: claim.Name, Labels: labelsOf(it), Annotations: claim.Annotations},
		Status: karpv1.NodeClaimStatus{
			ProviderID:  fmt.Sprintf("aws:///%s/%s", p.zone, launched.ID),
			Capacity:    it.Capacity,
			Allocatable: it.Allocatable(),
		},
	}
	p.mutex.Lock()
	p.claims[result.Status.ProviderID] = result.DeepCopy()
	p.mutex.Unlock()
	return result, p.register(ctx, claim, result)
}

func (p *provider) cheapest(claim *karpv1.NodeClaim) (*cloudprovider.InstanceType, error) {
	wanted := scheduling.NewNodeSelectorRequirementsWithMinValues(claim.Spec.Requirements...).Get(corev1.LabelInstanceTypeStable)
	for _, it := range p.types {
		if wanted.Has(it.Name) {
			return it, nil
		}
	}
	return nil, fmt.Errorf("no instance type of %v", wanted.Values())
}

// register does what kubelet and the node lifecycle controller do on a new instance. The AWS provider tells kubelet
// the taints, and leaves out the labels that kubelet must not set.
func (p *provider) register(ctx context.Context, claim, launched *karpv1.NodeClaim) error {
	labels := maps.Clone(launched.Labels)
	for key, value := range claim.Labels {
		if domain, _, _ := strings.Cut(key, "/"); !strings.HasSuffix(domain, "kubernetes.io") {
			labels[key] = value
		}
	}
	labels[karpv1.NodeDoNotSyncTaintsLabelKey] = "true"
	taints := append([]corev1.Taint{karpv1.UnregisteredNoExecuteTaint}, claim.Spec.Taints...)
	node := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: launched.Name, Labels: labels},
		Spec: corev1.NodeSpec{
			ProviderID: launched.Status.ProviderID,
			Taints:     append(taints, claim.Spec.StartupTaints...),
		},
		Status: corev1.NodeStatus{
			Capacity:    launched.Status.Capacity,
			Allocatable: launched.Status.Allocatable,
			Conditions: []corev1.NodeCondition{{
				Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "KubeletReady",
				LastHeartbeatTime: metav1.Now(), LastTransitionTime: metav1.Now(),
			}},
		},
	}
	if err := p.kube.Create(ctx, node); err != nil {
		return err
	}
	return p.untaint(ctx, node.Name, corev1.TaintNodeNotReady)
}

func (p *provider) untaint(ctx context.Context, name, key string) error {
	return retry.RetryOnConflict(retry.DefaultRetry, func() error {
		node := &corev1.Node{}
		if err := p.reader.Get(ctx, types.NamespacedName{Name: name}, node); err != nil {
			return err
		}
		var kept []corev1.Taint
		for _, taint := range node.Spec.Taints {
			if taint.Key != key {
				kept = append(kept, taint)
			}
		}
		node.Spec.Taints = kept
		return p.kube.Update(ctx, node)
	})
}

func (p *provider) Delete(ctx context.Context, claim *karpv1.NodeClaim) error {
	id := idOf(claim.Status.ProviderID)
	instances, err := p.ec2.all(ctx)
	if err != nil {
		return err
	}
	if found, ok := instances[id]; !ok || found.State == "terminated" {
		return cloudprovider.NewNodeClaimNotFoundError(fmt.Errorf("instance %s is terminated", id))
	}
	return p.ec2.terminate(ctx, id)
}

func (p *provider) Get(ctx context.Context, providerID string) (*karpv1.NodeClaim, error) {
	running, err := p.ec2.running(ctx)
	if err != nil {
		return nil, err
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	claim, known := p.claims[providerID]
	if _, runs := running[idOf(providerID)]; !known || !runs {
		return nil, cloudprovider.NewNodeClaimNotFoundError(fmt.Errorf("no instance %s", providerID))
	}
	return claim.DeepCopy(), nil
}

func (p *provider) List(ctx context.Context) ([]*karpv1.NodeClaim, error) {
	running, err := p.ec2.running(ctx)
	if err != nil {
		return nil, err
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	var claims []*karpv1.NodeClaim
	for providerID, claim := range p.claims {
		if _, runs := running[idOf(providerID)]; runs {
			claims = append(claims, claim.DeepCopy())
		}
	}
	return claims, nil
}

func (p *provider) GetInstanceTypes(context.Context, *karpv1.NodePool) ([]*cloudprovider.InstanceType, error) {
	return p.types, nil
}

func (p *provider) IsDrifted(context.Context, *karpv1.NodeClaim) (cloudprovider.DriftReason, error) {
	return "", nil
}

func (p *provider) RepairPolicies() []cloudprovider.RepairPolicy { return nil }

func (p *provider) Name() string { return "ec2-simulator" }

func (p *provider) GetSupportedNodeClasses() []status.Object {
	return []status.Object{&awsv1.EC2NodeClass{}}
}

func idOf(providerID string) string {
	return providerID[strings.LastIndex(providerID, "/")+1:]
}
