// Package oracle is what the programs over Cilium's policy engine have in common: the protocol,
// the labels that Cilium gives to a pod, and the loop that reads cases and writes answers. It knows
// nothing of Cilium's packages, so that each minor can have its own.
package oracle

import "encoding/json"

// Case is one line of input: a mesh, its policies and the flows to ask about.
type Case struct {
	// ID comes back in the answer.
	ID       string   `json:"id"`
	Settings Settings `json:"settings"`
	// Clusters are the members of the mesh.
	Clusters   []Cluster   `json:"clusters"`
	Namespaces []Namespace `json:"namespaces"`
	Identities []Identity  `json:"identities"`
	Policies   []Policy    `json:"policies"`
	Flows      []Flow      `json:"flows"`
	// Services are what `toServices` can name.
	Services []Service `json:"services"`
	// SecurityGroups are what `toGroups` and `fromGroups` can name.
	SecurityGroups []SecurityGroup `json:"securityGroups"`
}

// Settings are the agent's options that change a verdict; what is absent has the chart's default.
type Settings struct {
	// PolicyDefaultLocalCluster: false up to 1.18 (absent before), true from 1.19.
	PolicyDefaultLocalCluster *bool `json:"policyDefaultLocalCluster"`
	// PolicyEnforcementMode is default, always or never.
	PolicyEnforcementMode string `json:"policyEnforcementMode"`
	// EnableNonDefaultDenyPolicies: true.
	EnableNonDefaultDenyPolicies *bool `json:"enableNonDefaultDenyPolicies"`
	// EnableNodeSelectorLabels: false.
	EnableNodeSelectorLabels bool `json:"enableNodeSelectorLabels"`
	// PolicyCIDRMatchMode is empty or ["nodes"].
	PolicyCIDRMatchMode []string `json:"policyCIDRMatchMode"`
	// EnableIPv6: false. With it `world` splits in `world-ipv4` and `world-ipv6`.
	EnableIPv6 bool `json:"enableIPv6"`
}

// LocalCluster is whether a selector without a cluster label means the cluster of its policy.
func (s Settings) LocalCluster(byDefault bool) bool {
	if s.PolicyDefaultLocalCluster == nil {
		return byDefault
	}
	return *s.PolicyDefaultLocalCluster
}

// Enforcement is the enforcement mode, never empty.
func (s Settings) Enforcement() string {
	if s.PolicyEnforcementMode == "" {
		return "default"
	}
	return s.PolicyEnforcementMode
}

// NonDefaultDeny is whether `enableDefaultDeny` of a policy counts.
func (s Settings) NonDefaultDeny() bool {
	return s.EnableNonDefaultDenyPolicies == nil || *s.EnableNonDefaultDenyPolicies
}

// Cluster is a member of the mesh.
type Cluster struct {
	Name string `json:"name"`
	ID   uint32 `json:"id"`
}

// Namespace gives the labels of a namespace in one cluster. `kubernetes.io/metadata.name` need not
// be written.
type Namespace struct {
	Cluster string            `json:"cluster"`
	Name    string            `json:"name"`
	Labels  map[string]string `json:"labels"`
}

// Identity is one end of flows: a pod (Namespace), a node (Node), an address outside the mesh
// (Address) or one of Cilium's reserved identities (Reserved).
type Identity struct {
	ID      string            `json:"id"`
	Cluster string            `json:"cluster"`
	Labels  map[string]string `json:"labels"`

	Namespace string `json:"namespace"`
	// ServiceAccount of a pod: `default` where it is absent.
	ServiceAccount string      `json:"serviceAccount"`
	NamedPorts     []NamedPort `json:"namedPorts"`

	// Node is another node than the one on which the asked pod runs; that one is reserved `host`.
	Node bool `json:"node"`

	// Address is an IP address: of something outside the mesh, or of a node.
	Address string `json:"address"`
	// Names are the DNS names that resolved to the address.
	Names []string `json:"names"`

	// Reserved is the name of a reserved identity: `host`, `world`, `remote-node`, …
	Reserved string `json:"reserved"`
}

// NamedPort is a container port with a name.
type NamedPort struct {
	Name     string `json:"name"`
	Port     uint16 `json:"port"`
	Protocol string `json:"protocol"`
}

// Policy is a Kubernetes object as it was applied to one cluster, or to all where Cluster is empty.
type Policy struct {
	Cluster string          `json:"cluster"`
	Object  json.RawMessage `json:"object"`
}

// Service is a Service of one cluster, or of all where Cluster is empty.
type Service struct {
	Cluster   string            `json:"cluster"`
	Namespace string            `json:"namespace"`
	Name      string            `json:"name"`
	Labels    map[string]string `json:"labels"`
	// Selector is empty for a Service whose endpoints are written by hand: Addresses.
	Selector  map[string]string `json:"selector"`
	Addresses []string          `json:"addresses"`
}

// SecurityGroup is one of AWS, with the addresses of its instances.
type SecurityGroup struct {
	ID        string   `json:"id"`
	Name      string   `json:"name"`
	Addresses []string `json:"addresses"`
}

// Flow is a question. Port is the ICMP type for ICMP and ICMPv6.
type Flow struct {
	From     string `json:"from"`
	To       string `json:"to"`
	Port     uint16 `json:"port"`
	Protocol string `json:"protocol"`
}

// Answer is one line of output.
type Answer struct {
	ID     string `json:"id"`
	Cilium string `json:"cilium"`
	// Error says why the whole case has no answer.
	Error string `json:"error,omitempty"`
	// Policies has an entry for each policy of the case, in order.
	Policies []Taken `json:"policies,omitempty"`
	// Flows has an entry for each flow of the case, in order.
	Flows []Verdicts `json:"flows,omitempty"`
}

// Taken says whether the engine took a policy.
type Taken struct {
	Accepted bool `json:"accepted"`
	// Refused is the reason, of the first cluster that refuses.
	Refused string `json:"refused,omitempty"`
}

// Verdicts is what the engine says of a flow at both of its ends.
type Verdicts struct {
	Egress  Verdict `json:"egress"`
	Ingress Verdict `json:"ingress"`
}

// The values of Verdict.Verdict.
const (
	Allowed = "allowed"
	Denied  = "denied"
	// L7 is allowed as far as the proxy's rules say.
	L7 = "l7"
	// Unpoliced is the verdict of an end that is no endpoint and has no policy.
	Unpoliced = "unpoliced"
	// Failed is a question that the engine could not answer.
	Failed = "error"
)

// Verdict is what the engine says of a flow at one of its ends.
type Verdict struct {
	Verdict string `json:"verdict"`
	// L7 are the rules that the proxy applies, as the engine holds them.
	L7    []json.RawMessage `json:"l7,omitempty"`
	Error string            `json:"error,omitempty"`
}
