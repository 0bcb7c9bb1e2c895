// Answers cases with the policy engine of Cilium 1.16. ../README.md describes the protocol.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/sirupsen/logrus"

	"github.com/cilium/cilium/pkg/endpoint/regeneration"
	"github.com/cilium/cilium/pkg/fqdn/re"
	"github.com/cilium/cilium/pkg/identity"
	"github.com/cilium/cilium/pkg/identity/identitymanager"
	ipcachetypes "github.com/cilium/cilium/pkg/ipcache/types"
	"github.com/cilium/cilium/pkg/k8s"
	v2 "github.com/cilium/cilium/pkg/k8s/apis/cilium.io/v2"
	"github.com/cilium/cilium/pkg/k8s/apis/cilium.io/v2alpha1"
	slim_networkingv1 "github.com/cilium/cilium/pkg/k8s/slim/k8s/api/networking/v1"
	"github.com/cilium/cilium/pkg/labels"
	"github.com/cilium/cilium/pkg/logging"
	"github.com/cilium/cilium/pkg/option"
	"github.com/cilium/cilium/pkg/policy"
	"github.com/cilium/cilium/pkg/policy/api"
	policytypes "github.com/cilium/cilium/pkg/policy/types"
	pkgtypes "github.com/cilium/cilium/pkg/types"
	"github.com/cilium/cilium/pkg/u8proto"

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

func (engine) Version() string { return "1.16.19" }

func (engine) Open(settings oracle.Settings, cluster oracle.Cluster, outside oracle.Outside) (oracle.View, error) {
	if settings.LocalCluster(false) {
		return nil, errors.New("Cilium 1.16 has no policy-default-local-cluster")
	}
	option.Config.EnableIPv6 = settings.EnableIPv6
	option.Config.EnableNodeSelectorLabels = settings.EnableNodeSelectorLabels
	option.Config.PolicyCIDRMatchMode = settings.PolicyCIDRMatchMode
	option.Config.ClusterName = cluster.Name
	option.Config.ClusterID = cluster.ID
	provide(outside)
	policy.SetPolicyEnabled(settings.Enforcement())
	api.InitEntities(cluster.Name)
	return &view{
		outside:  outside,
		groups:   map[string][]api.CIDR{},
		ports:    pkgtypes.NewNamedPortMultiMap(),
		known:    map[string]*identity.Identity{},
		resolved: map[string]*policy.EndpointPolicy{},
	}, nil
}

// view is the engine in one cluster.
type view struct {
	outside oracle.Outside
	updates []update
	groups  map[string][]api.CIDR
	ports   interface {
		pkgtypes.NamedPortMultiMap
		Update(pkgtypes.NamedPortMap, pkgtypes.NamedPortMap) bool
	}
	repository *policy.Repository
	known      map[string]*identity.Identity
	resolved   map[string]*policy.EndpointPolicy
}

type update struct {
	resource ipcachetypes.ResourceID
	rules    api.Rules
}

// Add reads an object as pkg/policy/k8s does.
func (v *view) Add(object json.RawMessage) error {
	var head struct{ Kind string }
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
		if err := v.inline(written.Spec, written.Specs); err != nil {
			return err
		}
		v.services(written.Spec, written.Specs)
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
		if err := v.inline(written.Spec, written.Specs); err != nil {
			return err
		}
		v.services(written.Spec, written.Specs)
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
		cidrs := []api.CIDR{}
		for _, cidr := range written.Spec.ExternalCIDRs {
			cidrs = append(cidrs, api.CIDR(cidr))
		}
		v.groups[written.Name] = cidrs
		return nil
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

// inline writes the addresses of CIDR groups into a policy, as pkg/policy/k8s/cilium_cidr_group.go
// does.
func (v *view) inline(one *api.Rule, several api.Rules) error {
	for _, rule := range append(api.Rules{one}, several...) {
		if rule == nil {
			continue
		}
		var sets []*api.CIDRRuleSlice
		for i := range rule.Ingress {
			sets = append(sets, &rule.Ingress[i].FromCIDRSet)
		}
		for i := range rule.IngressDeny {
			sets = append(sets, &rule.IngressDeny[i].FromCIDRSet)
		}
		for i := range rule.Egress {
			sets = append(sets, &rule.Egress[i].ToCIDRSet)
		}
		for i := range rule.EgressDeny {
			sets = append(sets, &rule.EgressDeny[i].ToCIDRSet)
		}
		for _, set := range sets {
			if err := v.translate(set); err != nil {
				return err
			}
		}
	}
	return nil
}

func (v *view) translate(set *api.CIDRRuleSlice) error {
	if *set == nil {
		return nil
	}
	// An empty list is not the same as none.
	plain, referred := api.CIDRRuleSlice{}, api.CIDRRuleSlice{}
	for _, rule := range *set {
		if rule.CIDRGroupRef == "" {
			plain = append(plain, rule)
			continue
		}
		if len(rule.ExceptCIDRs) > 0 {
			return errors.New("ExceptCIDRs cannot be used in combination with CIDRGroupRef")
		}
		for _, cidr := range v.groups[string(rule.CIDRGroupRef)] {
			referred = append(referred, api.CIDRRule{Cidr: cidr})
		}
	}
	*set = append(plain, referred...)
	return nil
}

// Load gives every identity to a new repository, then the policies.
func (v *view) Load(peers []oracle.Peer) error {
	all := identity.ListReservedIdentities()
	addresses := newAddresses(v)
	for _, peer := range peers {
		known, err := v.identify(peer, addresses)
		if err != nil {
			return err
		}
		v.known[peer.ID] = known
		all[known.ID] = known.LabelArray
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
	for _, known := range addresses.identities {
		all[known.ID] = known.LabelArray
	}
	v.repository = policy.NewStoppedPolicyRepository(all, nil, nil, metrics{})
	v.repository.GetSelectorCache().SetLocalIdentityNotifier(names{})
	v.repository.Mutex.Lock()
	defer v.repository.Mutex.Unlock()
	for _, update := range v.updates {
		v.repository.ReplaceByResourceLocked(update.rules, update.resource)
	}
	return nil
}

// identify gives an identity as the agent of the cluster does.
func (v *view) identify(peer oracle.Peer, addresses *addresses) (*identity.Identity, error) {
	given := labels.Labels{}
	for _, label := range peer.Known {
		given[label.Key] = labels.NewLabel(label.Key, label.Value, label.Source)
	}
	switch {
	case peer.Namespace != "":
		return identity.NewIdentity(identity.NumericIdentity(peer.Number), given), nil
	case peer.Node:
		return addresses.node(peer, given)
	case peer.Address != "":
		return addresses.outside(peer)
	}
	number := identity.GetReservedID(peer.Reserved)
	if number == identity.IdentityUnknown {
		return nil, fmt.Errorf("there is no reserved identity %q", peer.Reserved)
	}
	return identity.LookupReservedIdentity(number), nil
}

// Ask looks the flow up in the map that the datapath of the pod would have.
func (v *view) Ask(subject, peer oracle.Peer, ingress bool, port uint16, protocol string) (oracle.Verdict, error) {
	endpoint, err := v.resolve(subject)
	if err != nil {
		return oracle.Verdict{}, err
	}
	number, err := u8proto.ParseProtocol(protocol)
	if err != nil {
		return oracle.Verdict{}, err
	}
	key := policytypes.Key{
		Identity: v.known[peer.ID].ID.Uint32(), DestPort: port, Nexthdr: uint8(number), TrafficDirection: 1,
	}
	if ingress {
		key.TrafficDirection = 0
	}
	entry, found := lookup(endpoint.GetPolicyMap(), key)
	switch {
	case !found || entry.IsDeny:
		return oracle.Verdict{Verdict: oracle.Denied}, nil
	case entry.ProxyPort != 0:
		return oracle.Verdict{Verdict: oracle.L7}, nil
	}
	return oracle.Verdict{Verdict: oracle.Allowed}, nil
}

// lookup is __policy_can_access of bpf/lib/policy.h: the longest match for the identity, and the
// longest for every identity, of which the longer counts, and the identity's own of two as long.
func lookup(state policy.MapState, key policytypes.Key) (policy.MapStateEntry, bool) {
	own, everyone := match{}, match{}
	state.ForEach(func(held policytypes.Key, entry policy.MapStateEntry) bool {
		wide := held
		wide.Identity = key.Identity
		if wide != key && !wide.PortProtoIsBroader(key) {
			return true
		}
		if held.TrafficDirection != key.TrafficDirection {
			return true
		}
		length := held.PrefixLength()
		if held.Identity == key.Identity {
			own.take(length, entry)
		} else if held.Identity == 0 {
			everyone.take(length, entry)
		}
		return true
	})
	if everyone.found && (!own.found || everyone.length > own.length) {
		return everyone.entry, true
	}
	return own.entry, own.found
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

func (v *view) resolve(subject oracle.Peer) (*policy.EndpointPolicy, error) {
	if found := v.resolved[subject.ID]; found != nil {
		return found, nil
	}
	known := v.known[subject.ID]
	cache := v.repository.GetPolicyCache()
	// The cache hears of identities from the process-wide manager.
	identitymanager.Add(known)
	v.repository.Mutex.RLock()
	err := cache.UpdatePolicy(known, 0)
	v.repository.Mutex.RUnlock()
	if err != nil {
		return nil, err
	}
	pod := owner{subject, v}
	endpoint := cache.Lookup(known).Consume(pod)
	for _, ingress := range []bool{true, false} {
		endpoint.UpdateRedirects(ingress, pod.redirects, policy.ChangeState{})
	}
	v.resolved[subject.ID] = endpoint
	return endpoint, nil
}

// Close frees the repository.
func (v *view) Close() {
	for _, endpoint := range v.resolved {
		endpoint.Detach()
	}
	// Whoever subscribed stays subscribed, and with it the whole repository.
	identitymanager.RemoveAll()
	identitymanager.GlobalIdentityManager = identitymanager.NewIdentityManager()
}

// owner is the endpoint of a pod, as far as the engine asks it.
type owner struct {
	peer oracle.Peer
	view *view
}

func (o owner) GetID() uint64 { return uint64(uint16(o.peer.Number)) }

// redirects are those of a filter, as pkg/endpoint/bpf.go makes them.
func (o owner) redirects(filter *policy.L4Filter) map[string]uint16 {
	port := filter.Port
	if port == 0 && filter.PortName != "" {
		port = o.GetNamedPort(filter.Ingress, filter.PortName, uint8(filter.U8Proto))
	}
	made := map[string]uint16{}
	for _, rules := range filter.PerSelectorPolicies {
		if rules != nil && rules.IsRedirect() {
			made[policy.ProxyID(uint16(o.GetID()), filter.Ingress, string(filter.Protocol), port, rules.Listener)] = math.MaxUint16 - 1
		}
	}
	return made
}

func (o owner) LookupRedirectPort(bool, string, uint16, string) (uint16, error) {
	return math.MaxUint16 - 1, nil
}

func (owner) GetRealizedRedirects() map[string]uint16 { return nil }

func (owner) HasBPFPolicyMap() bool { return true }

// GetNamedPort asks the pod itself for ingress and the whole mesh for egress (pkg/endpoint/endpoint.go).
func (o owner) GetNamedPort(ingress bool, name string, protocol uint8) uint16 {
	if !ingress {
		port, err := o.view.ports.GetNamedPort(name, protocol)
		if err != nil {
			return 0
		}
		return port
	}
	for _, port := range o.peer.NamedPorts {
		if number, err := u8proto.ParseProtocol(port.Protocol); err == nil && port.Name == name && uint8(number) == protocol {
			return port.Port
		}
	}
	return 0
}

func (owner) PolicyDebug(logrus.Fields, string) {}

func (owner) RegenerateIfAlive(*regeneration.ExternalRegenerationMetadata) <-chan bool {
	done := make(chan bool)
	close(done)
	return done
}

// names is in place of the DNS proxy.
type names struct{}

func (names) RegisterFQDNSelector(api.FQDNSelector)   {}
func (names) UnregisterFQDNSelector(api.FQDNSelector) {}

type metrics struct{}

func (metrics) AddRule(api.Rule) {}
func (metrics) DelRule(api.Rule) {}
