// Package cilium is what the programs have in common over those of Cilium's packages that are the
// same from 1.17 on. Each program compiles it against its own minor, the oldest of which is in go.mod.
package cilium

import (
	"fmt"
	"net/netip"

	"github.com/cilium/cilium/pkg/identity"
	k8sConst "github.com/cilium/cilium/pkg/k8s/apis/cilium.io"
	"github.com/cilium/cilium/pkg/labels"
	"github.com/cilium/cilium/pkg/option"
	"github.com/cilium/cilium/pkg/policy/api"

	oracle "landbridge.dev/oracle/common"
)

// Identities gives identities to peers as the agent of a cluster does, and to addresses as
// pkg/ipcache/metadata.go does: an address has the labels of every prefix around it that some policy
// or CIDR group names, but one CIDR label only, that of the longest.
type Identities struct {
	// NodesHaveCluster is whether the node manager gives labelled nodes the name of their cluster,
	// as it does from 1.18 (pkg/node/manager/manager.go).
	NodesHaveCluster bool

	prefixes  map[netip.Prefix]labels.Labels
	selectors []api.FQDNSelector
	addresses map[string]*identity.Identity
	outsiders identity.NumericIdentity
	nodes     identity.NumericIdentity
	peers     map[string]*identity.Identity
}

// NewIdentities takes the prefixes of CIDR groups with the labels of their groups, and the prefixes
// and DNS names of policies.
func NewIdentities(groups map[netip.Prefix]labels.Labels, prefixes []netip.Prefix, selectors []api.FQDNSelector) *Identities {
	a := &Identities{
		NodesHaveCluster: true,

		prefixes:  map[netip.Prefix]labels.Labels{},
		selectors: selectors,
		addresses: map[string]*identity.Identity{},
		outsiders: identity.IdentityScopeLocal,
		nodes:     identity.IdentityScopeRemoteNode,
		peers:     map[string]*identity.Identity{},
	}
	for prefix, given := range groups {
		a.add(prefix, given)
	}
	for _, prefix := range prefixes {
		a.add(prefix, labels.GetCIDRLabels(prefix))
	}
	for prefix := range a.prefixes {
		a.local(a.around(prefix, labels.Labels{}), prefix.Addr())
	}
	return a
}

// All is every identity that the cluster knows of.
func (a *Identities) All() identity.IdentityMap {
	all := identity.ListReservedIdentities()
	for _, known := range a.peers {
		all[known.ID] = known.LabelArray
	}
	for _, known := range a.addresses {
		all[known.ID] = known.LabelArray
	}
	return all
}

// Of is the identity of a peer that Identify has seen.
func (a *Identities) Of(peer oracle.Peer) *identity.Identity { return a.peers[peer.ID] }

// Identify gives the identity of a peer.
func (a *Identities) Identify(peer oracle.Peer) (*identity.Identity, error) {
	known, err := a.identify(peer)
	a.peers[peer.ID] = known
	return known, err
}

func (a *Identities) identify(peer oracle.Peer) (*identity.Identity, error) {
	given := labels.Labels{}
	for _, label := range peer.Known {
		given[label.Key] = labels.NewLabel(label.Key, label.Value, label.Source)
	}
	switch {
	case peer.Namespace != "":
		return identity.NewIdentity(identity.NumericIdentity(peer.Number), given), nil
	case peer.Node:
		return a.node(peer, given)
	case peer.Address != "":
		return a.outside(peer)
	}
	number := identity.GetReservedID(peer.Reserved)
	if number == identity.IdentityUnknown {
		return nil, fmt.Errorf("there is no reserved identity %q", peer.Reserved)
	}
	return identity.LookupReservedIdentity(number), nil
}

func (a *Identities) add(prefix netip.Prefix, given labels.Labels) {
	prefix = prefix.Masked()
	if a.prefixes[prefix] == nil {
		a.prefixes[prefix] = labels.Labels{}
	}
	a.prefixes[prefix].MergeLabels(given)
}

// around adds the labels of all prefixes around a prefix.
func (a *Identities) around(prefix netip.Prefix, given labels.Labels) labels.Labels {
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
func (a *Identities) local(given labels.Labels, address netip.Addr) *identity.Identity {
	given.AddWorldLabel(address)
	if reserved := identity.LookupReservedIdentityByLabels(given); reserved != nil {
		return reserved
	}
	return a.allocate(given, &a.outsiders)
}

func (a *Identities) allocate(given labels.Labels, last *identity.NumericIdentity) *identity.Identity {
	name := given.String()
	if a.addresses[name] == nil {
		*last++
		a.addresses[name] = identity.NewIdentity(*last, given)
	}
	return a.addresses[name]
}

// outside is the identity of an address, with the selectors that its names match.
func (a *Identities) outside(peer oracle.Peer) (*identity.Identity, error) {
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
func (a *Identities) node(peer oracle.Peer, known labels.Labels) (*identity.Identity, error) {
	given := labels.Labels{}
	given.MergeLabels(labels.LabelRemoteNode)
	if option.Config.PerNodeLabelsEnabled() {
		given.MergeLabels(known)
	}
	if option.Config.PerNodeLabelsEnabled() && a.NodesHaveCluster {
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
