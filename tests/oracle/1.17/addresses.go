package main

import (
	"net/netip"

	"github.com/cilium/cilium/pkg/identity"
	k8sConst "github.com/cilium/cilium/pkg/k8s/apis/cilium.io"
	"github.com/cilium/cilium/pkg/labels"
	"github.com/cilium/cilium/pkg/option"
	"github.com/cilium/cilium/pkg/policy"
	"github.com/cilium/cilium/pkg/policy/api"

	oracle "landbridge.dev/oracle/common"
)

// addresses gives identities to addresses as pkg/ipcache/metadata.go does: an address has the
// labels of every prefix around it that some policy or CIDR group names, but one CIDR label only,
// that of the longest.
type addresses struct {
	prefixes   map[netip.Prefix]labels.Labels
	selectors  []api.FQDNSelector
	identities map[string]*identity.Identity
	outsiders  identity.NumericIdentity
	nodes      identity.NumericIdentity
}

func newAddresses(v *view) *addresses {
	a := &addresses{
		prefixes:   map[netip.Prefix]labels.Labels{},
		identities: map[string]*identity.Identity{},
		outsiders:  identity.IdentityScopeLocal,
		nodes:      identity.IdentityScopeRemoteNode,
	}
	for prefix, given := range v.groups {
		a.add(prefix, given)
	}
	for _, update := range v.updates {
		for _, prefix := range policy.GetCIDRPrefixes(update.rules) {
			a.add(prefix, labels.GetCIDRLabels(prefix))
		}
		for _, rule := range update.rules {
			for _, egress := range rule.Egress {
				a.selectors = append(a.selectors, egress.ToFQDNs...)
			}
		}
	}
	for prefix := range a.prefixes {
		a.local(a.around(prefix, labels.Labels{}), prefix.Addr())
	}
	return a
}

func (a *addresses) add(prefix netip.Prefix, given labels.Labels) {
	prefix = prefix.Masked()
	if a.prefixes[prefix] == nil {
		a.prefixes[prefix] = labels.Labels{}
	}
	a.prefixes[prefix].MergeLabels(given)
}

// around adds the labels of all prefixes around a prefix.
func (a *addresses) around(prefix netip.Prefix, given labels.Labels) labels.Labels {
	one := given.HasSource(labels.LabelSourceCIDR)
	for bits := prefix.Bits(); bits >= 0; bits-- {
		parent, _ := prefix.Addr().Unmap().Prefix(bits)
		for key, label := range a.prefixes[parent] {
			cidr := label.Source == labels.LabelSourceCIDR
			if _, taken := given[key]; taken || cidr && one {
				continue
			}
			given[key] = label
			one = one || cidr
		}
	}
	return given
}

// local is the identity of something outside the mesh.
func (a *addresses) local(given labels.Labels, address netip.Addr) *identity.Identity {
	given.AddWorldLabel(address)
	if reserved := identity.LookupReservedIdentityByLabels(given); reserved != nil {
		return reserved
	}
	return a.allocate(given, &a.outsiders)
}

func (a *addresses) allocate(given labels.Labels, last *identity.NumericIdentity) *identity.Identity {
	name := given.String()
	if a.identities[name] == nil {
		*last++
		a.identities[name] = identity.NewIdentity(*last, given)
	}
	return a.identities[name]
}

// outside is the identity of an address, with the selectors that its names match.
func (a *addresses) outside(peer oracle.Peer) (*identity.Identity, error) {
	address, err := netip.ParseAddr(peer.Address)
	if err != nil {
		return nil, err
	}
	given := labels.Labels{}
	for _, selector := range a.selectors {
		pattern, err := selector.ToRegex()
		if err != nil {
			return nil, err
		}
		for _, name := range peer.Names {
			if pattern.MatchString(name + ".") {
				label := selector.IdentityLabel()
				given[label.Key] = label
			}
		}
	}
	return a.local(a.around(netip.PrefixFrom(address, address.BitLen()), given), address), nil
}

// node is the identity of another node.
func (a *addresses) node(peer oracle.Peer, known labels.Labels) (*identity.Identity, error) {
	given := labels.Labels{}
	given.MergeLabels(labels.LabelRemoteNode)
	if option.Config.PerNodeLabelsEnabled() {
		given.MergeLabels(known)
		// The node manager adds the cluster, which selectors of nodes ask for.
		given.MergeLabels(labels.Map2Labels(map[string]string{k8sConst.PolicyLabelCluster: peer.Cluster}, labels.LabelSourceK8s))
	}
	if option.Config.PolicyCIDRMatchesNodes() && peer.Address != "" {
		address, err := netip.ParseAddr(peer.Address)
		if err != nil {
			return nil, err
		}
		prefix := netip.PrefixFrom(address, address.BitLen())
		// The node manager gives every node the label of its own address.
		given.MergeLabels(labels.GetCIDRLabels(prefix))
		a.around(prefix, given)
		for _, world := range []string{labels.IDNameWorld, labels.IDNameWorldIPv4, labels.IDNameWorldIPv6} {
			delete(given, world)
		}
	}
	if reserved := identity.LookupReservedIdentityByLabels(given); reserved != nil {
		return reserved, nil
	}
	return a.allocate(given, &a.nodes), nil
}
