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

// services writes what `toServices` names into a policy, as pkg/policy/k8s/service.go does: pods by
// the selector of the Service, or the addresses of one without.
func (v *view) services(one *api.Rule, several api.Rules) {
	for _, rule := range append(api.Rules{one}, several...) {
		if rule == nil {
			continue
		}
		for i := range rule.Egress {
			for _, wanted := range rule.Egress[i].ToServices {
				for _, service := range v.outside.Services {
					if named(wanted, service) {
						resolve(&rule.Egress[i], service)
					}
				}
			}
		}
	}
}

func named(wanted api.Service, service oracle.Service) bool {
	if selector := wanted.K8sServiceSelector; selector != nil {
		return service.In(selector.Namespace) && matches(selector.Selector, service.Labels)
	}
	reference := wanted.K8sService
	return reference != nil && service.Names(reference.ServiceName, reference.Namespace)
}

func resolve(egress *api.EgressRule, service oracle.Service) {
	if len(service.Selector) > 0 {
		selector := maps.Clone(service.Selector)
		selector[k8sConst.PodNamespaceLabel] = service.Namespace
		pods := api.NewESFromK8sLabelSelector(labels.LabelSourceK8sKeyPrefix, &slim_metav1.LabelSelector{MatchLabels: selector})
		pods.Generated = true
		egress.ToEndpoints = append(egress.ToEndpoints, pods)
		return
	}
	for _, prefix := range service.Prefixes() {
		egress.ToCIDRSet = append(egress.ToCIDRSet, api.CIDRRule{Cidr: api.CIDR(prefix.String()), Generated: true})
	}
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
