package oracle

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"regexp"
	"slices"
)

// MaxLine is the longest case, in bytes, that is read. A longer one ends the program, as there is
// no way to find the case after it without reading it.
const MaxLine = 64 << 20

// Outside is what policies of a cluster refer to, and the engine does not know.
type Outside struct {
	Services []Service
	Groups   []SecurityGroup
}

// Group gives the addresses of the security groups that an item of `toGroups` selects by their IDs
// and names.
func (o Outside) Group(ids, names []string) []netip.Addr {
	var found []netip.Addr
	if len(ids)+len(names) == 0 {
		return found
	}
	for _, group := range o.Groups {
		if len(ids) > 0 && !slices.Contains(ids, group.ID) || len(names) > 0 && !slices.Contains(names, group.Name) {
			continue
		}
		for _, address := range group.Addresses {
			// Those that are none are found by check.
			if parsed, err := netip.ParseAddr(address); err == nil {
				found = append(found, parsed)
			}
		}
	}
	return found
}

// Names is whether an item of `toServices` that is a reference names the Service
// (serviceRefMatches in pkg/policy/k8s/service.go).
func (s Service) Names(name, namespace string) bool {
	return name == s.Name && s.In(namespace)
}

// In is whether the Service is in the namespace, or there is none.
func (s Service) In(namespace string) bool { return namespace == "" || namespace == s.Namespace }

// Prefixes are the addresses of the Service.
func (s Service) Prefixes() []netip.Prefix {
	var found []netip.Prefix
	for _, address := range s.Addresses {
		if parsed, err := netip.ParseAddr(address); err == nil {
			found = append(found, netip.PrefixFrom(parsed, parsed.BitLen()))
		}
	}
	return found
}

// Peer is an identity with the labels and the number that Cilium gives it.
type Peer struct {
	Identity
	// Number is the numeric identity of a pod, and 0 of everything else.
	Number uint32
	// Known are the labels of a pod or node with their sources.
	Known []Label
}

// Label is a label as Cilium knows it.
type Label struct{ Source, Key, Value string }

// Engine is Cilium's policy engine at one version.
type Engine interface {
	// Version of Cilium, such as 1.20.2.
	Version() string
	// Open prepares to ask one cluster. The engine has state for the whole process, so that only
	// one view may be open.
	Open(settings Settings, cluster Cluster, outside Outside) (View, error)
}

// View is the engine in one cluster.
type View interface {
	// Add takes a policy, or says why Cilium refuses it. CIDR groups come before all others.
	Add(object json.RawMessage) error
	// Load tells the engine of all identities and policies, after the last Add.
	Load(peers []Peer) error
	// Ask for the verdict at one end, after Load.
	Ask(subject, peer Peer, ingress bool, port uint16, protocol string) (Verdict, error)
	// Close frees what the engine holds.
	Close()
}

// Serve answers the cases of standard input until it ends. Anything that is no case is an answer
// with an error, as is a panic in the engine.
func Serve(engine Engine) {
	if err := serve(engine, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "oracle:", err)
		os.Exit(1)
	}
}

func serve(engine Engine, input io.Reader, output io.Writer) error {
	lines := bufio.NewScanner(input)
	lines.Buffer(make([]byte, 0, 1<<20), MaxLine)
	written := bufio.NewWriter(output)
	encoder := json.NewEncoder(written)
	encoder.SetEscapeHTML(false)
	for lines.Scan() {
		if len(lines.Bytes()) == 0 {
			continue
		}
		if err := encoder.Encode(answer(engine, lines.Bytes())); err != nil {
			return err
		}
		// Whoever writes one case and waits for its answer gets it.
		if err := written.Flush(); err != nil {
			return err
		}
	}
	return lines.Err()
}

func answer(engine Engine, line []byte) Answer {
	var asked Case
	if err := json.Unmarshal(line, &asked); err != nil {
		return Answer{ID: asked.ID, Cilium: engine.Version(), Error: err.Error()}
	}
	answer := Answer{ID: asked.ID, Cilium: engine.Version()}
	peers, err := asked.peers()
	if err != nil {
		answer.Error = err.Error()
		return answer
	}
	if err := asked.check(peers); err != nil {
		answer.Error = err.Error()
		return answer
	}
	answer.Policies = make([]Taken, len(asked.Policies))
	for i := range answer.Policies {
		answer.Policies[i].Accepted = true
	}
	answer.Flows = make([]Verdicts, len(asked.Flows))
	for i := range answer.Flows {
		answer.Flows[i] = Verdicts{Verdict{Verdict: Unpoliced}, Verdict{Verdict: Unpoliced}}
	}
	for _, cluster := range asked.Clusters {
		if err := guarded(func() error { return asked.ask(engine, cluster, peers, &answer) }); err != nil {
			answer.fail(asked, cluster, peers, err)
		}
	}
	return answer
}

// ask fills in what one cluster says: of its policies, of egress from its pods and of ingress to
// them.
func (c *Case) ask(engine Engine, cluster Cluster, peers map[string]Peer, answer *Answer) error {
	outside := Outside{Groups: c.SecurityGroups}
	for _, service := range c.Services {
		if service.Cluster == "" || service.Cluster == cluster.Name {
			outside.Services = append(outside.Services, service)
		}
	}
	view, err := engine.Open(c.Settings, cluster, outside)
	if err != nil {
		return err
	}
	defer view.Close()
	// Groups come first, as 1.16 writes their addresses into the policies that refer to them.
	for _, groups := range []bool{true, false} {
		for i, policy := range c.Policies {
			if policy.isGroup() != groups || policy.Cluster != "" && policy.Cluster != cluster.Name {
				continue
			}
			err := guarded(func() error { return view.Add(policy.Object) })
			if err != nil && answer.Policies[i].Accepted {
				answer.Policies[i] = Taken{Refused: reason(err)}
			}
		}
	}
	var known []Peer
	for _, identity := range c.Identities {
		known = append(known, peers[identity.ID])
	}
	if err := view.Load(known); err != nil {
		return err
	}
	for i, flow := range c.Flows {
		from, to := peers[flow.From], peers[flow.To]
		if from.in(cluster) {
			answer.Flows[i].Egress = verdict(view, from, to, false, flow)
		}
		if to.in(cluster) {
			answer.Flows[i].Ingress = verdict(view, to, from, true, flow)
		}
	}
	return nil
}

// combined is the reason for two kinds of peers in one item. The engine finds them in a map, so that
// their order says nothing.
var combined = regexp.MustCompile(`combining (\w+) and (\w+) is not supported`)

// reason is that of the engine, in the same words each time.
func reason(err error) string {
	text := err.Error()
	if found := combined.FindStringSubmatchIndex(text); found != nil {
		first, second := text[found[2]:found[3]], text[found[4]:found[5]]
		if first > second {
			return text[:found[2]] + second + " and " + first + text[found[5]:]
		}
	}
	return text
}

func verdict(view View, subject, peer Peer, ingress bool, flow Flow) (given Verdict) {
	err := guarded(func() (err error) {
		given, err = view.Ask(subject, peer, ingress, flow.Port, flow.Protocol)
		return err
	})
	if err != nil {
		return Verdict{Verdict: Failed, Error: err.Error()}
	}
	// The engine holds them in maps.
	slices.SortFunc(given.L7, func(a, b json.RawMessage) int { return bytes.Compare(a, b) })
	return given
}

// fail marks every verdict that the cluster would have given.
func (a *Answer) fail(asked Case, cluster Cluster, peers map[string]Peer, err error) {
	failed := Verdict{Verdict: Failed, Error: err.Error()}
	for i, flow := range asked.Flows {
		if peers[flow.From].in(cluster) {
			a.Flows[i].Egress = failed
		}
		if peers[flow.To].in(cluster) {
			a.Flows[i].Ingress = failed
		}
	}
}

// guarded turns a panic into an error.
func guarded(run func() error) (err error) {
	defer func() {
		if panicked := recover(); panicked != nil {
			err = fmt.Errorf("panic: %v", panicked)
		}
	}()
	return run()
}

func (p Policy) isGroup() bool {
	var head struct{ Kind string }
	return json.Unmarshal(p.Object, &head) == nil && head.Kind == "CiliumCIDRGroup"
}

// in is whether the identity is a pod of the cluster, and so has a policy there.
func (p Peer) in(cluster Cluster) bool {
	return p.Namespace != "" && p.Cluster == cluster.Name
}

// check says what is wrong with flows and addresses, which the engine would not notice.
func (c *Case) check(peers map[string]Peer) error {
	var addresses []string
	for _, service := range c.Services {
		addresses = append(addresses, service.Addresses...)
	}
	for _, group := range c.SecurityGroups {
		addresses = append(addresses, group.Addresses...)
	}
	for _, address := range addresses {
		if _, err := netip.ParseAddr(address); err != nil {
			return err
		}
	}
	for _, flow := range c.Flows {
		for _, end := range []string{flow.From, flow.To} {
			if _, known := peers[end]; !known {
				return fmt.Errorf("a flow names the identity %q, which there is not", end)
			}
		}
		switch flow.Protocol {
		case "TCP", "UDP", "SCTP", "ICMP", "ICMPv6":
			if flow.Port == 0 {
				// The engine reads 0 as every port or ICMP type, and panics in 1.17.
				return errors.New("a flow has port 0, which cannot be asked")
			}
		default:
			return fmt.Errorf("a flow has the protocol %q", flow.Protocol)
		}
	}
	return nil
}

// peers gives numbers and labels to the identities.
func (c *Case) peers() (map[string]Peer, error) {
	clusters := map[string]uint32{}
	for _, cluster := range c.Clusters {
		if cluster.ID > 511 {
			return nil, fmt.Errorf("the cluster %q has the ID %d, above 511", cluster.Name, cluster.ID)
		}
		clusters[cluster.Name] = cluster.ID
	}
	namespaces := map[[2]string]map[string]string{}
	for _, namespace := range c.Namespaces {
		namespaces[[2]string{namespace.Cluster, namespace.Name}] = namespace.Labels
	}
	peers := map[string]Peer{}
	for i, identity := range c.Identities {
		if _, twice := peers[identity.ID]; twice || identity.ID == "" {
			return nil, fmt.Errorf("the identity %q is there twice or has no name", identity.ID)
		}
		peer := Peer{Identity: identity}
		id, known := clusters[identity.Cluster]
		if !known && (identity.Namespace != "" || identity.Node) {
			return nil, fmt.Errorf("%q is in the cluster %q, which there is not", identity.ID, identity.Cluster)
		}
		if identity.Namespace != "" {
			if i >= 1<<16-256 {
				return nil, errors.New("more identities than a cluster can number")
			}
			// The cluster's ID is in the bits from 16, and the first 256 are reserved
			// (pkg/identity/numericidentity.go).
			peer.Number = id<<16 | uint32(256+i)
			labels := namespaces[[2]string{identity.Cluster, identity.Namespace}]
			peer.Known = identity.podLabels(labels)
		} else if identity.Node {
			for key, value := range identity.Labels {
				peer.Known = append(peer.Known, Label{"node", key, value})
			}
		}
		peers[identity.ID] = peer
	}
	return peers, nil
}

// podLabels are the labels that Cilium gives to a pod's endpoint (pkg/k8s/apis/cilium.io/const.go).
// Labels of the pod that the agent's label filter would drop are for the caller to leave out.
func (i Identity) podLabels(namespace map[string]string) []Label {
	const (
		cluster        = "io.cilium.k8s.policy.cluster"
		serviceAccount = "io.cilium.k8s.policy.serviceaccount"
		inherited      = "io.cilium.k8s.namespace.labels."
	)
	account := i.ServiceAccount
	if account == "" {
		account = "default"
	}
	set := map[string]string{}
	for key, value := range i.Labels {
		set[key] = value
	}
	for key, value := range namespace {
		set[inherited+key] = value
	}
	// Cilium's own labels win over those that somebody wrote.
	set[inherited+"kubernetes.io/metadata.name"] = i.Namespace
	set["io.kubernetes.pod.namespace"] = i.Namespace
	set[cluster] = i.Cluster
	set[serviceAccount] = account
	var labels []Label
	for key, value := range set {
		labels = append(labels, Label{"k8s", key, value})
	}
	return labels
}
