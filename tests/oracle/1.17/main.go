// Answers cases with the policy engine of Cilium 1.17. ../README.md describes the protocol.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/netip"
	"slices"

	"github.com/sirupsen/logrus"

	"github.com/cilium/cilium/pkg/container/versioned"
	"github.com/cilium/cilium/pkg/fqdn/re"
	"github.com/cilium/cilium/pkg/identity"
	"github.com/cilium/cilium/pkg/identity/identitymanager"
	ipcachetypes "github.com/cilium/cilium/pkg/ipcache/types"
	"github.com/cilium/cilium/pkg/k8s"
	v2 "github.com/cilium/cilium/pkg/k8s/apis/cilium.io/v2"
	"github.com/cilium/cilium/pkg/k8s/apis/cilium.io/v2alpha1"
	slim_networkingv1 "github.com/cilium/cilium/pkg/k8s/slim/k8s/api/networking/v1"
	"github.com/cilium/cilium/pkg/k8s/utils"
	"github.com/cilium/cilium/pkg/labels"
	"github.com/cilium/cilium/pkg/logging"
	"github.com/cilium/cilium/pkg/option"
	"github.com/cilium/cilium/pkg/policy"
	"github.com/cilium/cilium/pkg/policy/api"
	"github.com/cilium/cilium/pkg/spanstat"
	pkgtypes "github.com/cilium/cilium/pkg/types"
	"github.com/cilium/cilium/pkg/u8proto"

	"landbridge.dev/oracle/cilium"
	oracle "landbridge.dev/oracle/common"
)

func main() {
	logrus.SetOutput(io.Discard)
	logging.DefaultLogger.SetOutput(io.Discard)
	option.Config.EnableIPv4 = true
	option.Config.EnableL7Proxy = true
	option.Config.EnableICMPRules = true
	// The agent sets it under Kubernetes.
	option.Config.AllowLocalhost = option.AllowLocalhostAlways
	// DNS rules panic without it. The size is the agent's default, --fqdn-regex-compile-lru-size.
	if err := re.InitRegexCompileLRU(1024); err != nil {
		panic(err)
	}
	oracle.Serve(engine{})
}

type engine struct{}

func (engine) Version() string { return "1.17.6" }

func (engine) Open(settings oracle.Settings, cluster oracle.Cluster, outside oracle.Outside) (oracle.View, error) {
	if settings.LocalCluster(false) {
		return nil, errors.New("Cilium 1.17 has no policy-default-local-cluster")
	}
	option.Config.EnableIPv6 = settings.EnableIPv6
	option.Config.EnableNonDefaultDenyPolicies = settings.NonDefaultDeny()
	option.Config.EnableNodeSelectorLabels = settings.EnableNodeSelectorLabels
	option.Config.PolicyCIDRMatchMode = settings.PolicyCIDRMatchMode
	option.Config.ClusterName = cluster.Name
	option.Config.ClusterID = cluster.ID
	provide(outside)
	policy.SetPolicyEnabled(settings.Enforcement())
	api.InitEntities(cluster.Name)

	return &view{
		services: cilium.Services{Known: outside.Services, Matches: matches, Pods: pods},
		groups:   map[netip.Prefix]labels.Labels{},
		ports:    pkgtypes.NewNamedPortMultiMap(),
		resolved: map[string]*resolved{},
	}, nil
}

// view is the engine in one cluster.
type view struct {
	services cilium.Services
	updates  []update
	// groups are the prefixes of CIDR groups with the labels of their groups.
	groups map[netip.Prefix]labels.Labels
	ports  interface {
		pkgtypes.NamedPortMultiMap
		Update(pkgtypes.NamedPortMap, pkgtypes.NamedPortMap) bool
	}
	repository *policy.Repository
	// manager tells the repository of the pods of the cluster.
	manager    identitymanager.IDManager
	identities *cilium.Identities
	resolved   map[string]*resolved
}

type update struct {
	resource ipcachetypes.ResourceID
	rules    api.Rules
}

// resolved is the policy of one pod.
type resolved struct {
	selected policy.SelectorPolicy
	endpoint *policy.EndpointPolicy
	owner    owner
}

// Add reads an object as pkg/policy/k8s does.
func (v *view) Add(object json.RawMessage) error {
	var head struct{ Kind, APIVersion string }
	if err := json.Unmarshal(object, &head); err != nil {
		return err
	}
	switch head.Kind {
	case "CiliumNetworkPolicy":
		var written v2.CiliumNetworkPolicy
		if err := json.Unmarshal(object, &written); err != nil {
			return err
		}
		if written.Namespace == "" {
			written.Namespace = "default"
		}
		v.services.Write(written.Spec, written.Specs)
		rules, err := written.Parse()
		if err == nil && slices.ContainsFunc(rules, (*api.Rule).RequiresDerivative) {
			written.Spec = nil
			if written.Specs, err = derive(rules); err == nil {
				rules, err = written.Parse()
			}
		}
		return v.add(ipcachetypes.ResourceKindCNP, written.Namespace, written.Name, rules, err)
	case "CiliumClusterwideNetworkPolicy":
		var written v2.CiliumClusterwideNetworkPolicy
		if err := json.Unmarshal(object, &written); err != nil {
			return err
		}
		v.services.Write(written.Spec, written.Specs)
		rules, err := written.Parse()
		if err == nil && slices.ContainsFunc(rules, (*api.Rule).RequiresDerivative) {
			written.Spec = nil
			if written.Specs, err = derive(rules); err == nil {
				rules, err = written.Parse()
			}
		}
		return v.add(ipcachetypes.ResourceKindCCNP, "", written.Name, rules, err)
	case "NetworkPolicy":
		var written slim_networkingv1.NetworkPolicy
		if err := json.Unmarshal(object, &written); err != nil {
			return err
		}
		if written.Namespace == "" {
			written.Namespace = "default"
		}
		rules, err := k8s.ParseNetworkPolicy(&written)
		return v.add(ipcachetypes.ResourceKindNetpol, written.Namespace, written.Name, rules, err)
	case "CiliumCIDRGroup":
		var written v2alpha1.CiliumCIDRGroup
		if err := json.Unmarshal(object, &written); err != nil {
			return err
		}
		return v.group(&written)
	}
	return fmt.Errorf("kind %q is none that the engine reads", head.Kind)
}

func (v *view) add(kind ipcachetypes.ResourceKind, namespace, name string, rules api.Rules, err error) error {
	if err != nil {
		return err
	}
	v.updates = append(v.updates, update{ipcachetypes.NewResourceID(kind, namespace, name), rules})
	return nil
}

// group gives the labels of a group to its prefixes, as pkg/policy/k8s/cilium_cidr_group.go does.
func (v *view) group(written *v2alpha1.CiliumCIDRGroup) error {
	given := labels.Labels{}
	for key, value := range utils.RemoveCiliumLabels(written.Labels) {
		label := labels.NewLabel(key, value, labels.LabelSourceCIDRGroup)
		given[label.Key] = label
	}
	reference := api.LabelForCIDRGroupRef(written.Name)
	given[reference.Key] = reference
	for _, cidr := range written.Spec.ExternalCIDRs {
		prefix, err := netip.ParsePrefix(string(cidr))
		if err != nil {
			return err
		}
		if v.groups[prefix] == nil {
			v.groups[prefix] = labels.Labels{}
		}
		v.groups[prefix].MergeLabels(given)
	}
	return nil
}

// Load gives every identity to a new repository, then the policies.
func (v *view) Load(peers []oracle.Peer) error {
	var prefixes []netip.Prefix
	var selectors []api.FQDNSelector
	for _, update := range v.updates {
		prefixes = append(prefixes, policy.GetCIDRPrefixes(update.rules)...)
		for _, rule := range update.rules {
			for _, egress := range rule.Egress {
				selectors = append(selectors, egress.ToFQDNs...)
			}
		}
	}
	v.identities = cilium.NewIdentities(v.groups, prefixes, selectors)
	v.identities.NodesHaveCluster = false
	for _, peer := range peers {
		if _, err := v.identities.Identify(peer); err != nil {
			return err
		}
		named := pkgtypes.NamedPortMap{}
		for _, port := range peer.NamedPorts {
			if err := named.AddPort(port.Name, int(port.Port), port.Protocol); err != nil {
				return err
			}
		}
		if len(named) > 0 {
			v.ports.Update(nil, named)
		}
	}
	all := v.identities.All()
	v.manager = identitymanager.NewIDManager()
	v.repository = policy.NewPolicyRepository(all, nil, nil, v.manager, metrics{})
	v.repository.GetSelectorCache().SetLocalIdentityNotifier(names{})
	for _, update := range v.updates {
		v.repository.ReplaceByResource(update.rules, update.resource)
	}
	return nil
}

// Ask looks the flow up in the map that the datapath of the pod would have.
func (v *view) Ask(subject, peer oracle.Peer, ingress bool, port uint16, protocol string) (oracle.Verdict, error) {
	policed, err := v.resolve(subject)
	if err != nil {
		return oracle.Verdict{}, err
	}
	number, err := u8proto.ParseProtocol(protocol)
	if err != nil {
		return oracle.Verdict{}, err
	}
	key := policy.EgressKey()
	if ingress {
		key = policy.IngressKey()
	}
	other := v.identities.Of(peer)
	entry, found := lookup(policed.endpoint, key.WithIdentity(other.ID).WithPortProto(number, port))
	switch {
	case !found || entry.IsDeny():
		return oracle.Verdict{Verdict: oracle.Denied}, nil
	case entry.IsRedirectEntry():
		given := oracle.Verdict{Verdict: oracle.L7}
		given.L7, err = policed.rules(other.ID, ingress, port, number)
		return given, err
	}
	return oracle.Verdict{Verdict: oracle.Allowed}, nil
}

// lookup is __policy_can_access of bpf/lib/policy.h: the longest match for the identity and the
// longest for every identity. A deny counts before an allow, then the higher priority of the proxy,
// then the longer match, and the identity's own of two as long.
func lookup(endpoint *policy.EndpointPolicy, key policy.Key) (policy.MapStateEntry, bool) {
	own, everyone := match{}, match{}
	for held, entry := range endpoint.Entries() {
		wide := held
		wide.Identity = key.Identity
		if held.TrafficDirection() != key.TrafficDirection() || wide != key && !wide.PortProtoIsBroader(key) {
			continue
		}
		length := held.PrefixLength()
		if held.Identity == key.Identity {
			own.take(length, entry)
		} else if held.Identity == 0 {
			everyone.take(length, entry)
		}
	}
	if own.found && own.entry.IsDeny() || !everyone.found {
		return own.entry, own.found
	}
	mine, theirs := own.entry.ProxyPortPriority, everyone.entry.ProxyPortPriority
	if !own.found || everyone.entry.IsDeny() || theirs > mine || theirs == mine && everyone.length > own.length {
		return everyone.entry, true
	}
	return own.entry, true
}

type match struct {
	found  bool
	length uint
	entry  policy.MapStateEntry
}

func (m *match) take(length uint, entry policy.MapStateEntry) {
	if !m.found || length > m.length {
		*m = match{true, length, entry}
	}
}

func (v *view) resolve(subject oracle.Peer) (*resolved, error) {
	if found := v.resolved[subject.ID]; found != nil {
		return found, nil
	}
	pod := owner{subject, v}
	v.manager.Add(v.identities.Of(subject))
	selected, _, err := v.repository.GetSelectorPolicy(v.identities.Of(subject), 0, &statistics{})
	if err != nil {
		return nil, err
	}
	endpoint := selected.DistillPolicy(pod, pod.redirects(selected))
	if err := endpoint.Ready(); err != nil {
		return nil, err
	}
	found := &resolved{selected, endpoint, pod}
	v.resolved[subject.ID] = found
	return found, nil
}

// rules are those of every filter with a proxy that selects the peer and covers the port.
func (r *resolved) rules(peer identity.NumericIdentity, ingress bool, port uint16, protocol u8proto.U8proto) ([]json.RawMessage, error) {
	var found []json.RawMessage
	seen := map[*policy.L4Filter]bool{}
	for filter := range r.selected.RedirectFilters() {
		if seen[filter] {
			continue
		}
		seen[filter] = true
		if filter.Ingress != ingress || (filter.U8Proto != protocol && filter.U8Proto != u8proto.ANY) {
			continue
		}
		first, last := filter.Port, max(filter.Port, filter.EndPort)
		if filter.PortName != "" {
			first = r.owner.GetNamedPort(ingress, filter.PortName, protocol)
			last = first
			if first == 0 {
				continue
			}
		}
		if first != 0 && (port < first || port > last) {
			continue
		}
		for selector, rules := range filter.PerSelectorPolicies {
			if rules == nil || !rules.IsRedirect() || !selector.Selects(versioned.Latest(), peer) {
				continue
			}
			written, err := json.Marshal(map[string]any{"parser": filter.L7Parser, "rules": rules.L7Rules})
			if err != nil {
				return nil, err
			}
			found = append(found, written)
		}
	}
	return found, nil
}

// Close frees the repository.
func (v *view) Close() {
	for _, found := range v.resolved {
		found.endpoint.Detach()
	}
}

// owner is the endpoint of a pod, as far as the engine asks it.
type owner struct {
	peer oracle.Peer
	view *view
}

func (o owner) GetID() uint64 { return uint64(uint16(o.peer.Number)) }

// GetNamedPort asks the pod itself for ingress and the whole mesh for egress
// (pkg/endpoint/endpoint.go).
func (o owner) GetNamedPort(ingress bool, name string, protocol u8proto.U8proto) uint16 {
	if !ingress {
		port, err := o.view.ports.GetNamedPort(name, protocol)
		if err != nil {
			return 0
		}
		return port
	}
	for _, port := range o.peer.NamedPorts {
		if number, err := u8proto.ParseProtocol(port.Protocol); err == nil && port.Name == name && number == protocol {
			return port.Port
		}
	}
	return 0
}

// redirects are those of all filters with a proxy, as pkg/endpoint/bpf.go makes them: a redirect
// without a port would be left out of the map.
func (o owner) redirects(selected policy.SelectorPolicy) map[string]uint16 {
	made := map[string]uint16{}
	for filter, rules := range selected.RedirectFilters() {
		port := filter.Port
		if port == 0 && filter.PortName != "" {
			port = o.GetNamedPort(filter.Ingress, filter.PortName, filter.U8Proto)
		}
		made[policy.ProxyID(uint16(o.GetID()), filter.Ingress, string(filter.Protocol), port, rules.GetListener())] = math.MaxUint16 - 1
	}
	return made
}

func (owner) PolicyDebug(logrus.Fields, string) {}

func (owner) IsHost() bool { return false }

func (owner) MapStateSize() int { return 0 }

// names is in place of the DNS proxy.
type names struct{}

func (names) RegisterFQDNSelector(api.FQDNSelector)   {}
func (names) UnregisterFQDNSelector(api.FQDNSelector) {}

// metrics must be there, as the repository panics without.
type metrics struct{}

func (metrics) AddRule(api.Rule) {}
func (metrics) DelRule(api.Rule) {}

// statistics are what the repository measures.
type statistics struct{ waiting, calculating spanstat.SpanStat }

func (s *statistics) WaitingForPolicyRepository() *spanstat.SpanStat { return &s.waiting }
func (s *statistics) PolicyCalculation() *spanstat.SpanStat          { return &s.calculating }
