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

// pods selects the pods of a Service.
func pods(service oracle.Service) api.EndpointSelector {
	selector := maps.Clone(service.Selector)
	selector[labels.LabelSourceK8sKeyPrefix+k8sConst.PodNamespaceLabel] = service.Namespace
	return api.NewESFromMatchRequirements(selector, nil)
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
