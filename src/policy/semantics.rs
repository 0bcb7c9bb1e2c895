//! What a version of Cilium with its settings makes of a policy. No other place compares versions.

use semver::Version;

/// When policies are enforced (`policyEnforcementMode`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Enforcement {
    /// Where a policy selects the endpoint.
    #[default]
    Default,
    /// Everywhere: what no policy allows is denied.
    Always,
    /// Nowhere.
    Never,
}

/// The settings of a cluster's Cilium that change what policies mean. `Settings::of` has the
/// chart's defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The cluster's name.
    pub cluster: String,
    /// `clustermesh.policyDefaultLocalCluster`, where it is set.
    pub policy_default_local_cluster: Option<bool>,
    /// `policyEnforcementMode`.
    pub enforcement: Enforcement,
    /// `enableNonDefaultDenyPolicies`.
    pub non_default_deny: bool,
    /// `nodeSelectorLabels`.
    pub node_selector_labels: bool,
    /// `hostFirewall.enabled`.
    pub host_firewall: bool,
    /// `l7Proxy`.
    pub l7_proxy: bool,
    /// The agent's `enable-icmp-rules`.
    pub icmp_rules: bool,
    /// The agent's `enable-extended-ip-protocols`.
    pub extended_protocols: bool,
    /// Whether `policyCIDRMatchMode` has `nodes`.
    pub cidr_matches_nodes: bool,
    /// Whether `policyCIDRMatchMode` has `pods`.
    pub cidr_matches_pods: bool,
    /// `k8sClusterNetworkPolicy.enabled`.
    pub cluster_network_policy: bool,
}

impl Settings {
    /// The chart's defaults for a cluster.
    pub fn of(cluster: impl Into<String>) -> Self {
        Self {
            cluster: cluster.into(),
            policy_default_local_cluster: None,
            enforcement: Enforcement::Default,
            non_default_deny: true,
            node_selector_labels: false,
            host_firewall: false,
            l7_proxy: true,
            icmp_rules: true,
            extended_protocols: false,
            cidr_matches_nodes: false,
            cidr_matches_pods: false,
            cluster_network_policy: false,
        }
    }
}

/// A minor release of Cilium whose policy engine is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Minor {
    V16,
    V17,
    V18,
    V19,
    V20,
}

/// What a version of Cilium with its settings makes of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Semantics {
    version: Version,
    minor: Minor,
    settings: Settings,
}

impl Semantics {
    /// The semantics of a version with settings; nothing for a minor whose engine is not known
    /// (before 1.16 and after 1.20).
    pub fn new(version: Version, settings: Settings) -> Option<Self> {
        let minor = match (version.major, version.minor) {
            (1, 16) => Minor::V16,
            (1, 17) => Minor::V17,
            (1, 18) => Minor::V18,
            (1, 19) => Minor::V19,
            (1, 20) => Minor::V20,
            _ => return None,
        };
        Some(Self { version, minor, settings })
    }

    /// The version.
    pub fn version(&self) -> &Version {
        &self.version
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The cluster's name.
    pub fn cluster(&self) -> &str {
        &self.settings.cluster
    }

    /// Whether only the cluster's name differs in another one, if anything.
    pub fn differs_in_name_only(&self, other: &Self) -> bool {
        let named = |settings: &Settings| Settings { cluster: String::new(), ..settings.clone() };
        self.version == other.version && named(&self.settings) == named(&other.settings)
    }

    /// When policies are enforced.
    pub fn enforcement(&self) -> Enforcement {
        self.settings.enforcement
    }

    /// The cluster that a peer is kept to which says none: always any until 1.17, the policy's own
    /// if the setting says so in 1.18, and unless it says otherwise from 1.19
    /// (`policy-default-local-cluster`, cilium/cilium#39338, #40609).
    pub fn default_cluster(&self) -> Option<&str> {
        let default = self.minor >= Minor::V19;
        let known = self.minor >= Minor::V18;
        let local = self.settings.policy_default_local_cluster.unwrap_or(default);
        (known && local).then_some(self.cluster())
    }

    /// The cluster that the nodes of `fromNodes` and `toNodes` are kept to. Until 1.19.5 the
    /// default broke them (cilium/cilium#46068): they select no node then.
    pub fn nodes_scope(&self) -> NodesScope<'_> {
        match self.default_cluster() {
            None => NodesScope::Any,
            Some(_) if self.minor == Minor::V19 && self.version.patch < 5 => NodesScope::None,
            Some(cluster) => NodesScope::Cluster(cluster),
        }
    }

    /// Whether a policy without any section is refused: 1.16 loads it without effect.
    pub fn wants_a_section(&self) -> bool {
        self.minor >= Minor::V17
    }

    /// Whether `fromRequires` and `toRequires` work: the field became a list of text in 1.19.
    pub fn knows_requires(&self) -> bool {
        self.minor <= Minor::V18
    }

    /// Whether the name of an egress port is looked up for every peer; before, there had to be one
    /// number in all clusters (`pkg/policy/l4.go`, cilium/cilium#44429).
    pub fn names_ports_per_peer(&self) -> bool {
        self.minor >= Minor::V20
    }

    /// Whether a selector that selects the word for an aggregate of identities admits all of them
    /// (`pkg/policy/aggregate.go`, cilium/cilium#46949, #47035, #47216).
    pub fn aggregates(&self) -> bool {
        self.minor >= Minor::V20
    }

    /// Whether the entity `cluster-mesh` is known (cilium/cilium#46813).
    pub fn knows_cluster_mesh(&self) -> bool {
        self.minor >= Minor::V20
    }

    /// Whether a pod's own node reaches a pod that no rule selects where enforcement is `always`:
    /// 1.20 admits the node beside rules only (`computePolicyEnforcementAndRules` in
    /// `pkg/policy/repository.go`).
    pub fn admits_host_without_rules(&self) -> bool {
        self.minor <= Minor::V19
    }

    /// Whether the identity of a node with labels has its cluster's name, too
    /// (`pkg/node/manager/manager.go`).
    pub fn labels_nodes_with_cluster(&self) -> bool {
        self.minor >= Minor::V18
    }

    /// Whether a policy for nodes may have DNS rules (`EgressRule.sanitize` in
    /// `pkg/policy/api/rule_validation.go`).
    pub fn knows_dns_rules_of_nodes(&self) -> bool {
        self.minor >= Minor::V17
    }

    /// Whether `toServices` may stand beside `toPorts` (cilium/cilium#20067).
    pub fn services_take_ports(&self) -> bool {
        self.minor >= Minor::V17
    }

    /// Whether `toServices` selects the pods of a Service that has a selector; 1.16 passes over it
    /// (`isSelectableService` in `pkg/policy/k8s/service.go`).
    pub fn services_select_pods(&self) -> bool {
        self.minor >= Minor::V17
    }

    /// Whether L7 rules let everything of the subject's own node through that they do not name by
    /// itself (`createL4IngressFilter` in `pkg/policy/l4.go`, until 1.18).
    pub fn frees_own_host(&self) -> bool {
        self.minor <= Minor::V18
    }

    /// Whether groups of addresses are put into the policy as addresses; later they are labels of
    /// addresses (`pkg/policy/k8s/cilium_cidr_group.go`).
    pub fn inlines_groups(&self) -> bool {
        self.minor == Minor::V16
    }

    /// Whether an exception of a group is refused (`validateCIDRRule` in
    /// `pkg/policy/k8s/cilium_cidr_group.go`).
    pub fn refuses_exceptions_of_groups(&self) -> bool {
        self.minor == Minor::V16
    }

    /// Whether exceptions are cut out of a prefix, so that one that takes all of it leaves no peer
    /// at all, which with ports means any (`ComputeResultantCIDRSet` in `pkg/policy/api/cidr.go`).
    pub fn cuts_exceptions_out(&self) -> bool {
        self.minor == Minor::V16
    }

    /// Whether selectors of groups select addresses only (`CIDRSelector` in
    /// `pkg/policy/types/selector.go`); before, anything that has or lacks the labels.
    pub fn groups_are_of_addresses(&self) -> bool {
        self.minor >= Minor::V20
    }

    /// Whether a selector of groups that says nothing is the selector of everything: until 1.18 it
    /// is one like any other, and in 1.20 it has the key of that one. In 1.19 it has the key too,
    /// but a list with it is not everyone (`CIDRSelector.IsWildcard` in
    /// `pkg/policy/types/selector.go`).
    pub fn empty_groups_are_everyone(&self) -> bool {
        self.minor != Minor::V19
    }

    /// Whether an address in several groups has the value of each; before, a key had one of them
    /// only (`matchesEncodedRequirement` in `pkg/policy/types/requirements.go`, cilium/cilium#45225,
    /// which #45356 brought to 1.19.4).
    pub fn groups_keep_every_value(&self) -> bool {
        self.minor >= Minor::V20 || (self.minor == Minor::V19 && self.version.patch >= 4)
    }

    /// Whether the prefix of all addresses is another word for the world; before, it held whatever
    /// has an address as a label, nodes too (`IPStringToLabel` in `pkg/labels/cidr.go`).
    /// Where addresses select pods it does that again (`matchesCIDRWildcard` in
    /// `pkg/policy/types/selector.go`).
    pub fn all_addresses_are_the_world(&self) -> bool {
        self.minor >= Minor::V19 && !self.cidr_matches_pods()
    }

    /// Whether `cidrGroupSelector` is known.
    pub fn knows_group_selectors(&self) -> bool {
        self.minor >= Minor::V17
    }

    /// Whether `toGroups` and `fromGroups` that resolve to nothing leave no peer at all, which with
    /// ports means any: the operator leaves the empty list out of the policy that it writes
    /// (`json:"toCIDRSet,omitempty"` in `pkg/policy/api/egress.go`).
    pub fn groups_fail_open(&self) -> bool {
        self.minor == Minor::V17
    }

    /// Whether a NetworkPolicy with an `ipBlock` in `ingress` is refused: where peers are kept to the cluster,
    /// 1.18 makes a selector of pods beside it (`parseNetworkPolicyPeer` in
    /// `pkg/k8s/network_policy.go`).
    pub fn refuses_ip_blocks(&self) -> bool {
        self.minor == Minor::V18 && self.default_cluster().is_some()
    }

    /// Whether Kafka and custom L7 rules are known; 1.20 drops them on decoding and allows the
    /// port.
    pub fn knows_kafka(&self) -> bool {
        self.minor <= Minor::V19
    }

    /// Whether a `nodeSelector` in the `specs` of a namespaced policy is refused.
    pub fn refuses_node_selector_in_specs(&self) -> bool {
        self.minor >= Minor::V18
    }

    /// Whether rules of several L7 protocols for one port break the endpoint's policy whatever their
    /// peers are; later only for the same peer (`mergePortProto` in `pkg/policy/rule.go`).
    pub fn one_parser_per_port(&self) -> bool {
        self.minor <= Minor::V17
    }

    /// Whether an exception must lie in its CIDR as a whole, not only its first address.
    pub fn wants_narrow_exceptions(&self) -> bool {
        self.minor >= Minor::V20
    }

    /// Whether a port may be left out, which `enable-extended-ip-protocols` allows from 1.19.
    pub fn port_may_be_absent(&self) -> bool {
        self.minor >= Minor::V19 && self.settings.extended_protocols
    }

    /// Whether L7 rules other than DNS forbid ranges of ports, too.
    pub fn l7_forbids_ranges(&self) -> bool {
        self.minor == Minor::V16
    }

    /// Whether a policy can say that it isolates nothing. `enableNonDefaultDenyPolicies: false`
    /// takes that away, and is read from 1.20.2 only (cilium/cilium#48391).
    pub fn obeys_default_deny(&self) -> bool {
        let read = self.minor >= Minor::V20 && self.version.patch >= 2;
        self.settings.non_default_deny || !read
    }

    /// Whether `**.` at the start of a name's pattern stands for one or more labels; before it was
    /// one `*` (`pkg/fqdn/matchpattern/matchpattern.go`).
    pub fn knows_subdomain_wildcard(&self) -> bool {
        self.minor >= Minor::V19
    }

    /// Whether addresses select pods that Cilium manages. Until 1.19 an agent refuses the setting.
    pub fn cidr_matches_pods(&self) -> bool {
        self.minor >= Minor::V20 && self.settings.cidr_matches_pods
    }

    /// Whether a Kubernetes ClusterNetworkPolicy is read.
    pub fn reads_cluster_network_policy(&self) -> bool {
        self.minor >= Minor::V20 && self.settings.cluster_network_policy
    }

    /// Whether a protocol without ports is known to `toPorts`, by its name in capitals.
    pub fn knows_extended_protocol(&self, name: &str) -> bool {
        match name {
            "VRRP" | "IGMP" => self.minor >= Minor::V19 && self.settings.extended_protocols,
            _ => self.minor >= Minor::V20 && self.settings.extended_protocols,
        }
    }
}

/// The cluster that nodes are kept to as peers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodesScope<'a> {
    /// Nodes of every cluster.
    Any,
    /// Nodes of this one.
    Cluster(&'a str),
    /// None, by mistake.
    None,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn semantics(version: &str, settings: Settings) -> Semantics {
        let version = Version::parse(version).expect("a version");
        Semantics::new(version, settings).expect("a known minor")
    }

    #[test]
    fn engines_that_are_not_known_have_no_semantics() {
        for version in ["1.15.19", "1.21.0", "2.16.0"] {
            let version = Version::parse(version).expect("a version");
            assert_eq!(Semantics::new(version, Settings::of("use1")), None);
        }
    }

    #[test]
    fn peers_are_local_from_1_19_unless_the_setting_says_otherwise() {
        let cases = [
            ("1.17.6", Some(true), None),
            ("1.18.6", None, None),
            ("1.18.6", Some(true), Some("use1")),
            ("1.19.6", None, Some("use1")),
            ("1.19.6", Some(false), None),
            ("1.20.2", None, Some("use1")),
        ];
        for (version, setting, expected) in cases {
            let mut settings = Settings::of("use1");
            settings.policy_default_local_cluster = setting;
            assert_eq!(semantics(version, settings).default_cluster(), expected, "{version}");
        }
    }

    #[test]
    fn non_default_deny_can_be_taken_away_from_1_20_2() {
        let mut settings = Settings::of("use1");
        settings.non_default_deny = false;
        for (version, obeys) in [("1.19.6", true), ("1.20.1", true), ("1.20.2", false)] {
            assert_eq!(semantics(version, settings.clone()).obeys_default_deny(), obeys);
        }
        assert!(semantics("1.20.2", Settings::of("use1")).obeys_default_deny());
    }

    #[test]
    fn nodes_as_peers_are_broken_by_the_default_until_1_19_5() {
        let scope = |version| {
            let known = semantics(version, Settings::of("use1"));
            format!("{:?}", known.nodes_scope())
        };
        assert_eq!(scope("1.18.6"), "Any");
        assert_eq!(scope("1.19.4"), "None");
        assert_eq!(scope("1.19.5"), "Cluster(\"use1\")");
    }
}
