//! Which policies are refused, accepted or read otherwise under another version.

use std::collections::BTreeMap;

use super::cause::{CAUSES, Cause, Pair};
use crate::policy::rule::{Kind, Policy, Remark, RemarkSort};
use crate::reach::{Member, Origin, WrittenPolicy};
use crate::source::Span;
use crate::topology::ClusterId;

/// What becomes of a policy under another version.
#[derive(Clone, Debug)]
pub struct PolicyChange {
    /// Its cluster.
    pub cluster: ClusterId,
    /// Its kind.
    pub kind: Kind,
    /// Its namespace; nothing for a policy of the cluster.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
    /// Who wrote it.
    pub origin: Origin,
    /// The line of it that makes the difference; for a generated one, that of the topology.
    pub span: Span,
    /// What becomes of it.
    pub fate: Fate,
    /// What in Cilium does that.
    pub causes: Vec<&'static Cause>,
    /// What is remarked under the new version only.
    pub remarks: Vec<Remark>,
    /// How many pairs of ends it opens and closes, as far as they were looked at.
    pub flows: (usize, usize),
    /// Its index among the policies of its cluster, before and after.
    pub(super) at: (usize, usize),
}

/// What becomes of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The new version refuses it, so that it enforces nothing, for this reason.
    Refused(String),
    /// The old version refused it for this reason, and the new one enforces it.
    Accepted(String),
    /// Its rules are read otherwise.
    ReadOtherwise,
    /// Its rules are read the same, and what they mean is looked up otherwise.
    MeansOtherwise,
    /// Nothing but what is remarked about it changes.
    Remarked,
}

impl Fate {
    /// A word for programs.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Refused(_) => "refused",
            Self::Accepted(_) => "accepted",
            Self::ReadOtherwise => "read-otherwise",
            Self::MeansOtherwise => "means-otherwise",
            Self::Remarked => "remarked",
        }
    }
}

/// The name of a kind of policies as Kubernetes writes it.
pub const fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Cilium => "CiliumNetworkPolicy",
        Kind::CiliumClusterwide => "CiliumClusterwideNetworkPolicy",
        Kind::Kubernetes => "NetworkPolicy",
        Kind::KubernetesCluster => "ClusterNetworkPolicy",
    }
}

impl PolicyChange {
    /// The policy in a word: `CiliumNetworkPolicy payments/web`.
    pub fn title(&self) -> String {
        let kind = kind_name(self.kind);
        match &self.namespace {
            Some(namespace) => format!("{kind} {namespace}/{}", self.name),
            None => format!("{kind} {}", self.name),
        }
    }

    /// Whether it stops working, or begins to.
    pub const fn breaks(&self) -> bool {
        matches!(self.fate, Fate::Refused(_))
    }
}

/// What tells the policies of a cluster apart.
type Name<'a> = (Kind, Option<&'a str>, &'a str);

fn name(policy: &Policy) -> Name<'_> {
    (policy.kind, policy.namespace.as_deref(), &policy.name)
}

/// What becomes of each policy of a cluster, in the order of the policies. A policy that one side
/// does not have is not compared.
pub fn compare(cluster: ClusterId, before: &Member, after: &Member) -> Vec<PolicyChange> {
    let causes: Vec<&Cause> =
        CAUSES.iter().filter(|row| row.differs(&before.semantics, &after.semantics)).collect();
    if causes.is_empty() && before.policies.len() == after.policies.len() {
        return Vec::new();
    }
    let mut known: BTreeMap<Name<'_>, Vec<(usize, &WrittenPolicy)>> = BTreeMap::new();
    for (at, written) in before.policies.iter().enumerate().rev() {
        known.entry(name(&written.policy)).or_default().push((at, written));
    }
    let mut changes = Vec::new();
    for (at, written) in after.policies.iter().enumerate() {
        let old = known.get_mut(&name(&written.policy)).and_then(Vec::pop);
        let changed = old.and_then(|(old_at, old)| {
            Some(PolicyChange { at: (old_at, at), ..change(cluster, &causes, old, written)? })
        });
        changes.extend(changed);
    }
    changes
}

fn change(
    cluster: ClusterId,
    causes: &[&'static Cause],
    before: &WrittenPolicy,
    after: &WrittenPolicy,
) -> Option<PolicyChange> {
    let pair = Pair { before: &before.policy, after: &after.policy };
    let causes: Vec<_> = causes.iter().copied().filter(|row| row.concerns(&pair)).collect();
    let (old, new) = (pair.before, pair.after);
    let remarks: Vec<Remark> =
        new.remarks.iter().filter(|remark| !old.remarks.contains(remark)).cloned().collect();
    let fate = match (&old.refused, &new.refused) {
        (None, Some(refusal)) => Fate::Refused(refusal.why.clone()),
        (Some(refusal), None) => Fate::Accepted(refusal.why.clone()),
        (None, None) if old.rules != new.rules => Fate::ReadOtherwise,
        (None, None) if !causes.is_empty() => Fate::MeansOtherwise,
        (None, None) if !remarks.is_empty() => Fate::Remarked,
        _ => return None,
    };
    let first = || {
        let differs = |(old, new): &(&_, &_)| old != new;
        old.rules.iter().zip(&new.rules).find(differs).map(|(_, rule)| rule.span)
    };
    let refusal = new.refused.as_ref().or(old.refused.as_ref()).map(|refusal| refusal.span);
    let remark = || remarks.first().map(|remark| remark.span);
    let span = refusal.or_else(first).or_else(remark).unwrap_or(new.span);
    Some(PolicyChange {
        cluster,
        kind: new.kind,
        namespace: new.namespace.clone(),
        name: new.name.clone(),
        origin: after.origin,
        span,
        fate,
        causes,
        remarks,
        flows: (0, 0),
        at: (0, 0),
    })
}

/// What a remark says, as a phrase.
pub fn phrase(sort: &RemarkSort) -> String {
    match sort {
        RemarkSort::Unread(key) => format!("`{key}` is not read"),
        RemarkSort::Nothing => "it does nothing".to_owned(),
        RemarkSort::MergedKeys(key) => format!("two values of `{key}` become one of them"),
        RemarkSort::ReplacedNamespace(name) => {
            format!("the namespace `{name}` of the subject is replaced by the policy's own")
        }
        RemarkSort::SubjectElsewhere(cluster) => {
            format!("its subject is in `{cluster}`, so that it is about no one here")
        }
        RemarkSort::OnlyNegative => "a selector says only what it excludes".to_owned(),
        RemarkSort::OpenToAll(key) => {
            format!("`{key}` selects no one, which opens its ports to all")
        }
        RemarkSort::UnknownGroup(name) => format!("the group `{name}` does not exist"),
        RemarkSort::IgnoredDefaultDeny => "`enableDefaultDeny: false` is overruled".to_owned(),
        RemarkSort::DroppedL7(key) => format!("`{key}` is dropped, so that the port is open"),
        RemarkSort::NamespacesOfEveryCluster => "`namespaces` reach into every cluster".to_owned(),
        RemarkSort::AnyIcmpType => "ICMP type 0 is every type".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Known, Semantics, Settings, parse};
    use crate::topology::ClusterSet;
    use crate::upgrade::sample::{object, semantics};

    const SETTINGS: fn(&mut Settings) = |_| {};

    fn member(yaml: &str, semantics: Semantics) -> (crate::source::SourceMap, Member) {
        let (sources, object) = object(yaml);
        let policy = parse::read(
            &object,
            &semantics,
            &Known {
                services: Some(Vec::new()),
                external_groups: Some(Vec::new()),
                ..Known::default()
            },
        );
        let policy = policy.expect("a policy");
        let span = policy.span;
        let policies = vec![WrittenPolicy { policy: policy.into(), origin: Origin::Written }];
        let joined = ClusterSet::new();
        (sources, Member { name: "use1".into(), span, semantics, joined, policies })
    }

    /// What becomes of a policy of `team/x` with this body, as `fate: cause, cause`.
    fn fate(old: &str, new: &str, set: fn(&mut Settings), body: &str) -> String {
        let head = "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\n";
        whole(old, new, set, &format!("{head}metadata: {{name: x, namespace: team}}\n{body}"))
    }

    fn whole(old: &str, new: &str, set: fn(&mut Settings), yaml: &str) -> String {
        let (_, before) = member(yaml, semantics(old, set));
        let (_, after) = member(yaml, semantics(new, set));
        let changes = compare(ClusterId::new(0), &before, &after);
        let text = |change: &PolicyChange| {
            let causes: Vec<_> = change.causes.iter().map(|cause| cause.name).collect();
            format!("{}: {}", change.fate.name(), causes.join(", "))
        };
        changes.iter().map(text).collect::<Vec<_>>().join("; ")
    }

    /// The old version, the new one, a policy, and what becomes of it.
    const CASES: &[(&str, &str, &str, &str)] = &[
        (
            "1.16.19",
            "1.17.18",
            "spec: {endpointSelector: {}, ingress: []}",
            "refused: empty-policy-refused",
        ),
        (
            "1.16.19",
            "1.17.18",
            "spec: {endpointSelector: {}, egress: [{toServices: [{k8sService: {serviceName: a, namespace: b}}], PORTS}]}",
            "accepted: services-with-ports",
        ),
        (
            "1.16.19",
            "1.17.18",
            "spec: {endpointSelector: {}, egress: [{toCIDRSet: [{cidrGroupRef: a}], PORTS}]}",
            "read-otherwise: cidr-groups-are-labels",
        ),
        (
            "1.16.19",
            "1.17.18",
            "spec: {endpointSelector: {}, egress: [{toCIDRSet: [{cidrGroupSelector: {matchLabels: {a: b}}}]}]}",
            "accepted: cidr-group-selector",
        ),
        (
            "1.16.19",
            "1.17.18",
            "spec: {endpointSelector: {}, egress: [{toPorts: [{ports: [{port: '80', endPort: 90, protocol: TCP}], rules: {http: [{method: GET}]}}]}]}",
            "accepted: l7-port-ranges",
        ),
        (
            "1.17.18",
            "1.18.12",
            "specs: [{nodeSelector: {}, ingress: [{fromEntities: [all]}]}]",
            "refused: node-selector-in-specs",
        ),
        (
            "1.18.12",
            "1.19.6",
            "spec: {endpointSelector: {}, ingress: [{fromEndpoints: [{}]}]}",
            "read-otherwise: policy-default-local-cluster",
        ),
        (
            "1.18.12",
            "1.19.6",
            "spec: {endpointSelector: {}, ingress: [{fromEndpoints: [{matchLabels: {io.cilium.k8s.policy.cluster: a}}]}]}",
            "",
        ),
        (
            "1.18.12",
            "1.19.6",
            "spec: {endpointSelector: {}, ingress: [{fromRequires: [{matchLabels: {a: b}}]}]}",
            "refused: requires-removed",
        ),
        (
            "1.18.12",
            "1.19.6",
            "spec: {endpointSelector: {}, egress: [{toFQDNs: [{matchPattern: '**.example.com'}]}]}",
            "means-otherwise: subdomain-wildcard",
        ),
        (
            "1.19.6",
            "1.20.2",
            "spec: {endpointSelector: {}, egress: [{toEntities: [all], toPorts: [{ports: [{port: web, protocol: TCP}]}]}]}",
            "means-otherwise: named-ports-per-peer",
        ),
        (
            "1.19.6",
            "1.20.2",
            "spec: {endpointSelector: {}, egress: [{toEntities: [cluster-mesh]}]}",
            "accepted: cluster-mesh-entity",
        ),
        (
            "1.17.6",
            "1.18.12",
            "spec: {endpointSelector: {}, egress: [{toGroups: [{aws: {securityGroupsIds: [sg-1]}}], PORTS}]}",
            "read-otherwise: groups-select-no-one",
        ),
        (
            "1.19.6",
            "1.20.2",
            "spec: {endpointSelector: {}, egress: [{toPorts: [{ports: [{port: '9092', protocol: TCP}], rules: {kafka: [{topic: a}]}}]}]}",
            "read-otherwise: kafka-removed",
        ),
        (
            "1.19.6",
            "1.20.2",
            "spec: {endpointSelector: {}, egress: [{toCIDRSet: [{cidr: 10.0.0.0/16, except: [10.0.0.0/8]}]}]}",
            "refused: narrow-exceptions",
        ),
        (
            "1.19.6",
            "1.20.2",
            "spec: {endpointSelector: {}, ingress: [{fromEntities: [cluster]}]}",
            "",
        ),
        ("1.19.6", "1.20.2", "spec: {endpointSelector: {}, egress: [{toCIDR: [10.0.0.0/8]}]}", ""),
    ];

    #[test]
    fn each_cause_is_found_where_it_counts() {
        let ports = "toPorts: [{ports: [{port: '80', protocol: TCP}]}]";
        for (old, new, body, expected) in CASES {
            let body = body.replace("PORTS", ports);
            assert_eq!(fate(old, new, SETTINGS, &body), *expected, "{old} to {new}: {body}");
        }
    }

    #[test]
    fn settings_count_too() {
        let off: fn(&mut Settings) = |set| set.policy_default_local_cluster = Some(false);
        let peer = "spec: {endpointSelector: {}, ingress: [{fromEndpoints: [{}]}]}";
        assert_eq!(fate("1.18.12", "1.19.6", off, peer), "");
        let on: fn(&mut Settings) = |set| set.policy_default_local_cluster = Some(true);
        assert_eq!(
            fate("1.17.18", "1.18.12", on, peer),
            "read-otherwise: policy-default-local-cluster"
        );
        let negative = "spec: {endpointSelector: {}, ingress: [{fromEndpoints: [{matchExpressions: [{key: io.kubernetes.pod.namespace, operator: NotIn, values: [ops]}]}]}]}";
        assert_eq!(
            fate("1.19.6", "1.20.2", off, negative),
            "means-otherwise: identity-aggregation"
        );
        let nodes: fn(&mut Settings) = |set| set.node_selector_labels = true;
        let from_nodes =
            "spec: {endpointSelector: {}, ingress: [{fromNodes: [{matchLabels: {a: b}}]}]}";
        assert_eq!(
            fate("1.19.4", "1.19.5", nodes, from_nodes),
            "read-otherwise: nodes-without-peers"
        );
        let forbidden: fn(&mut Settings) = |set| set.non_default_deny = false;
        let opt_out = "spec: {endpointSelector: {}, enableDefaultDeny: {ingress: false}, ingress: [{fromEntities: [all]}]}";
        assert_eq!(
            fate("1.20.1", "1.20.2", forbidden, opt_out),
            "read-otherwise: non-default-deny-forbidden"
        );
        let extended: fn(&mut Settings) = |set| set.extended_protocols = true;
        let no_port =
            "spec: {endpointSelector: {}, egress: [{toPorts: [{ports: [{protocol: VRRP}]}]}]}";
        assert!(fate("1.18.12", "1.19.6", extended, no_port).starts_with("accepted: "));
        let pods: fn(&mut Settings) = |set| set.cidr_matches_pods = true;
        let cidr = "spec: {endpointSelector: {}, egress: [{toCIDR: [10.0.0.0/8]}]}";
        assert_eq!(fate("1.19.6", "1.20.2", pods, cidr), "means-otherwise: addresses-of-pods");
        let cluster: fn(&mut Settings) = |set| set.cluster_network_policy = true;
        let policy = "apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: {name: x}\nspec: {tier: Admin, priority: 1, subject: {namespaces: {}}, ingress: [{action: Deny, from: [{namespaces: {}}]}]}";
        assert_eq!(whole("1.19.6", "1.20.2", cluster, policy), "accepted: cluster-network-policy");
        assert_eq!(whole("1.19.6", "1.20.2", SETTINGS, policy), "", "read by neither");
    }

    #[test]
    fn the_same_version_changes_nothing() {
        for version in ["1.16.19", "1.17.18", "1.18.12", "1.19.6", "1.20.2"] {
            let body = "spec: {endpointSelector: {}, ingress: [{fromEndpoints: [{}]}]}";
            assert_eq!(fate(version, version, SETTINGS, body), "");
        }
    }
}
