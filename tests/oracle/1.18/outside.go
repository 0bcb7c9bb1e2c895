package main

import (
	"context"
	"encoding/json"
	"maps"
	"net/netip"

	k8sConst "github.com/cilium/cilium/pkg/k8s/apis/cilium.io"
	"github.com/cilium/cilium/pkg/labels"
	"github.com/cilium/cilium/pkg/policy/api"

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
		selector[labels.LabelSourceK8sKeyPrefix+k8sConst.PodNamespaceLabel] = service.Namespace
		pods := api.NewESFromMatchRequirements(selector, nil)
		pods.Generated = true
		egress.ToEndpoints = append(egress.ToEndpoints, pods)
		return
	}
	for _, prefix := range service.Prefixes() {
		egress.ToCIDRSet = append(egress.ToCIDRSet, api.CIDRRule{Cidr: api.CIDR(prefix.String()), Generated: true})
	}
}

// matches ignores the sources of labels, as that of the agent does.
func matches(selector api.ServiceSelector, given map[string]string) bool {
	selects := api.EndpointSelector(selector)
	selects.SyncRequirementsWithLabelSelector()
	return selects.Matches(matcher(labels.Map2Labels(given, labels.LabelSourceK8s)))
}

type matcher labels.Labels

func (m matcher) Get(key string) string { return m[key].Value }

func (m matcher) Has(key string) bool { return labels.Labels(m).HasLabelWithKey(key) }

// provide makes the addresses of the security groups known to `toGroups`.
func provide(outside oracle.Outside) {
	api.RegisterToGroupsProvider(api.AWSProvider, func(_ context.Context, group *api.Groups) ([]netip.Addr, error) {
		return outside.Group(group.AWS.SecurityGroupsIds, group.AWS.SecurityGroupsNames), nil
	})
}

// derive gives the rules of the policy that the operator writes in place of one with `toGroups` or
// `fromGroups` (pkg/policy/groups); the agent passes over the latter. They go through the API server,
// where a list that is empty may get lost.
func derive(rules api.Rules) (api.Rules, error) {
	derived := make(api.Rules, len(rules))
	for i, rule := range rules {
		derived[i] = rule
		if rule.RequiresDerivative() {
			addressed, err := rule.CreateDerivative(context.Background())
			if err != nil {
				return nil, err
			}
			derived[i] = addressed
		}
	}
	written, err := json.Marshal(derived)
	if err != nil {
		return nil, err
	}
	var read api.Rules
	return read, json.Unmarshal(written, &read)
}
