package cilium

import (
	"github.com/cilium/cilium/pkg/policy/api"

	oracle "landbridge.dev/oracle/common"
)

// Services are those of a cluster, and how a minor reads them.
type Services struct {
	Known []oracle.Service
	// Matches is whether a selector of Services selects one with these labels.
	Matches func(api.ServiceSelector, map[string]string) bool
	// Pods selects the pods of a Service.
	Pods func(oracle.Service) api.EndpointSelector
}

// Write writes what `toServices` names into a policy, as pkg/policy/k8s/service.go does: pods by the
// selector of the Service, or the addresses of one without.
func (s Services) Write(one *api.Rule, several api.Rules) {
	for _, rule := range append(api.Rules{one}, several...) {
		if rule == nil {
			continue
		}
		for i := range rule.Egress {
			for _, wanted := range rule.Egress[i].ToServices {
				for _, service := range s.Known {
					if s.named(wanted, service) {
						s.write(&rule.Egress[i], service)
					}
				}
			}
		}
	}
}

func (s Services) named(wanted api.Service, service oracle.Service) bool {
	if selector := wanted.K8sServiceSelector; selector != nil {
		return service.In(selector.Namespace) && s.Matches(selector.Selector, service.Labels)
	}
	reference := wanted.K8sService
	return reference != nil && service.Names(reference.ServiceName, reference.Namespace)
}

func (s Services) write(egress *api.EgressRule, service oracle.Service) {
	if len(service.Selector) > 0 {
		pods := s.Pods(service)
		pods.Generated = true
		egress.ToEndpoints = append(egress.ToEndpoints, pods)
		return
	}
	for _, prefix := range service.Prefixes() {
		egress.ToCIDRSet = append(egress.ToCIDRSet, api.CIDRRule{Cidr: api.CIDR(prefix.String()), Generated: true})
	}
}
