package main

import (
	"net/netip"

	"github.com/cilium/cilium/pkg/identity"
	"github.com/cilium/cilium/pkg/labels"
	"github.com/cilium/cilium/pkg/option"
	"github.com/cilium/cilium/pkg/policy"
	"github.com/cilium/cilium/pkg/policy/api"

	oracle "landbridge.dev/oracle/common"
)

// addresses gives identities to addresses as pkg/ipcache/metadata.go does: an address has the
// identity of the longest prefix around it that some policy names.
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
	for _, update := range v.updates {
		for _, prefix := range policy.GetCIDRPrefixes(update.rules) {
			a.prefixes[prefix.Masked()] = labels.GetCIDRLabels(prefix.Masked())
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

// around adds the labels of the longest prefix around a prefix.
func (a *addresses) around(prefix netip.Prefix, given labels.Labels) labels.Labels {
	for bits := prefix.Bits(); bits >= 0; bits-- {
		parent, _ := prefix.Addr().Unmap().Prefix(bits)
		if known := a.prefixes[parent]; known != nil {
			given.MergeLabels(known)
			break
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
	prefix := netip.PrefixFrom(address, address.BitLen())
	if len(given) > 0 {
		// The DNS proxy makes a prefix of the address, with its own CIDR label.
		given.MergeLabels(labels.GetCIDRLabels(prefix))
		return a.local(given, address), nil
	}
	return a.local(a.around(prefix, given), address), nil
}

// node is the identity of another node.
func (a *addresses) node(peer oracle.Peer, known labels.Labels) (*identity.Identity, error) {
	given := labels.Labels{}
	given.MergeLabels(labels.LabelRemoteNode)
	if option.Config.PerNodeLabelsEnabled() {
		given.MergeLabels(known)
	}
	if option.Config.PolicyCIDRMatchesNodes() && peer.Address != "" {
		address, err := netip.ParseAddr(peer.Address)
		if err != nil {
			return nil, err
		}
		prefix := netip.PrefixFrom(address, address.BitLen())
		// The node manager gives every node the label of its own address.
		given.MergeLabels(labels.GetCIDRLabels(prefix))
		for _, world := range []string{labels.IDNameWorld, labels.IDNameWorldIPv4, labels.IDNameWorldIPv6} {
			delete(given, world)
		}
	}
	if reserved := identity.LookupReservedIdentityByLabels(given); reserved != nil {
		return reserved, nil
	}
	return a.allocate(given, &a.nodes), nil
}
