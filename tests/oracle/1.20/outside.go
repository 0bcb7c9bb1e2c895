package main

import (
	"maps"
	"net/netip"

	k8sConst "github.com/cilium/cilium/pkg/k8s/apis/cilium.io"
	v2 "github.com/cilium/cilium/pkg/k8s/apis/cilium.io/v2"
	slim_metav1 "github.com/cilium/cilium/pkg/k8s/slim/k8s/apis/meta/v1"
	"github.com/cilium/cilium/pkg/labels"
	"github.com/cilium/cilium/pkg/policy/api"
	policytypes "github.com/cilium/cilium/pkg/policy/types"

	oracle "landbridge.dev/oracle/common"
)

// pods selects the pods of a Service.
func pods(service oracle.Service) api.EndpointSelector {
	selector := maps.Clone(service.Selector)
	selector[k8sConst.PodNamespaceLabel] = service.Namespace
	return api.NewESFromK8sLabelSelector(labels.LabelSourceK8sKeyPrefix, &slim_metav1.LabelSelector{MatchLabels: selector})
}

func matches(selector api.ServiceSelector, given map[string]string) bool {
	selects := policytypes.NewLabelSelector(api.EndpointSelector(selector))
	return policytypes.Matches(selects, matcher(labels.Map2Labels(given, labels.LabelSourceK8s)))
}

// matcher ignores the sources of labels, as that of the agent does.
type matcher labels.Labels

func (m matcher) GetLabel(label *labels.Label) string { return m[label.Key].Value }

func (m matcher) HasLabel(label *labels.Label) bool {
	_, is := m[label.Key]
	return is
}

func (m matcher) LookupLabel(label *labels.Label) (string, bool) {
	found, is := m[label.Key]
	return found.Value, is
}

// securityGroups makes a CIDR group of every `toGroups` and `fromGroups`, as the operator does
// (operator/pkg/networkpolicy/external-groups).
func (v *view) securityGroups(rules api.Rules) error {
	var wanted []api.Groups
	for _, rule := range rules {
		for _, section := range rule.Ingress {
			wanted = append(wanted, section.FromGroups...)
		}
		for _, section := range rule.IngressDeny {
			wanted = append(wanted, section.FromGroups...)
		}
		for _, section := range rule.Egress {
			wanted = append(wanted, section.ToGroups...)
		}
		for _, section := range rule.EgressDeny {
			wanted = append(wanted, section.ToGroups...)
		}
	}
	for _, group := range wanted {
		if group.AWS == nil {
			continue
		}
		made := v2.CiliumCIDRGroup{}
		made.Name = "extgrp-" + group.Hash()
		made.Labels = map[string]string{group.LabelKey(): ""}
		for _, address := range v.outside.Group(group.AWS.SecurityGroupsIds, group.AWS.SecurityGroupsNames) {
			prefix := netip.PrefixFrom(address, address.BitLen())
			made.Spec.ExternalCIDRs = append(made.Spec.ExternalCIDRs, api.CIDR(prefix.String()))
		}
		if err := v.group(&made); err != nil {
			return err
		}
	}
	return nil
}
