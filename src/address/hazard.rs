//! Ranges that mean something else on the machines or to a provider.

use ipnet::IpNet;

use super::Range;
use super::plan::{Entry, Plan, Use};
use crate::diagnostic::Severity;
use crate::spec::cluster::{Distribution, LoadBalancerController};
use crate::spec::region::InterconnectType;
use crate::topology::Topology;

/// A range with a meaning of its own.
#[derive(Debug)]
pub struct Hazard {
    /// Its addresses.
    pub net: IpNet,
    /// What they are.
    pub meaning: &'static str,
    /// How bad it is to use them.
    pub severity: Severity,
    /// What to do.
    pub help: &'static str,
    whom: Whom,
    what: What,
}

/// Whom it concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whom {
    Anybody,
    /// Clusters of AKS.
    Aks,
    /// Clusters that Tailscale joins or serves.
    Tailscale,
}

/// Which ranges must not meet it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    All,
    /// Those of pods and Services. Nodes and networks are written with documentation ranges
    /// where they are not to be told, and with Tailscale's where they stand in a tailnet.
    Inner,
    /// Those of pods that contain it.
    PodsAround,
}

type Row = (&'static str, &'static str, Severity, Whom, What, &'static str);

const PRIVATE: &str = "use a private range, such as one of 10.0.0.0/8 or fd00::/8";
const DOCUMENTATION: &str = "put the range here that the placeholder stands for";
const DOCKER: &str = "use another range, such as 172.20.0.0/16, or give Docker another with `bip`";
const AKS: &str = "use another range: AKS refuses clusters with this one";
const TAILSCALE: &str = "use a range outside of 100.64.0.0/10, such as one of 10.0.0.0/8";
const AROUND: &str = "give the pods a part of it that no network and no Service has";

/// Source: the IANA registries of special-purpose addresses; Docker, "Packet filtering and
/// firewalls"; AKS, "Configure Azure CNI networking", Prerequisites; Tailscale, "Reserved IP
/// addresses", with cilium/cilium#35338 and #36104; the defaults of Cilium's chart.
const ROWS: [Row; 18] = [
    ("0.0.0.0/8", "this network", Severity::Error, Whom::Anybody, What::All, PRIVATE),
    ("127.0.0.0/8", "loopback", Severity::Error, Whom::Anybody, What::All, PRIVATE),
    ("169.254.0.0/16", "link-local addresses", Severity::Error, Whom::Anybody, What::All, PRIVATE),
    (
        "224.0.0.0/3",
        "multicast and reserved addresses",
        Severity::Error,
        Whom::Anybody,
        What::All,
        PRIVATE,
    ),
    ("172.30.0.0/16", "used by AKS itself", Severity::Error, Whom::Aks, What::All, AKS),
    ("172.31.0.0/16", "used by AKS itself", Severity::Error, Whom::Aks, What::All, AKS),
    ("192.0.2.0/24", "used by AKS itself", Severity::Error, Whom::Aks, What::All, AKS),
    ("192.0.2.0/24", "documentation", Severity::Error, Whom::Anybody, What::Inner, DOCUMENTATION),
    (
        "198.51.100.0/24",
        "documentation",
        Severity::Error,
        Whom::Anybody,
        What::Inner,
        DOCUMENTATION,
    ),
    ("203.0.113.0/24", "documentation", Severity::Error, Whom::Anybody, What::Inner, DOCUMENTATION),
    (
        "172.17.0.0/16",
        "Docker's default bridge",
        Severity::Warning,
        Whom::Anybody,
        What::All,
        DOCKER,
    ),
    (
        "100.64.0.0/10",
        "Tailscale's addresses",
        Severity::Warning,
        Whom::Tailscale,
        What::Inner,
        TAILSCALE,
    ),
    (
        "10.0.0.0/8",
        "the chart's default pool, with the Services of most clusters in it",
        Severity::Warning,
        Whom::Anybody,
        What::PodsAround,
        AROUND,
    ),
    ("::1/128", "loopback", Severity::Error, Whom::Anybody, What::All, PRIVATE),
    ("fe80::/10", "link-local addresses", Severity::Error, Whom::Anybody, What::All, PRIVATE),
    ("ff00::/8", "multicast", Severity::Error, Whom::Anybody, What::All, PRIVATE),
    ("2001:db8::/32", "documentation", Severity::Error, Whom::Anybody, What::Inner, DOCUMENTATION),
    ("3fff::/20", "documentation", Severity::Error, Whom::Anybody, What::Inner, DOCUMENTATION),
];

/// The hazards, and what of a plan they concern.
#[derive(Debug)]
pub struct Hazards {
    rows: Vec<Hazard>,
    /// By cluster of the plan: whether it is one of AKS, whether it has to do with Tailscale.
    clusters: Vec<(bool, bool)>,
    /// By network: whether a cluster of AKS stands in it.
    networks: Vec<bool>,
}

impl Hazards {
    /// The hazards of a topology and its plan.
    pub fn of(topology: &Topology, plan: &Plan) -> Self {
        let mut tailnet = vec![false; topology.networks.len()];
        let tailscale = |kind| kind == InterconnectType::Tailscale;
        for interconnect in topology.interconnects.iter().filter(|one| tailscale(one.kind)) {
            interconnect.networks.iter().for_each(|id| tailnet[id.index()] = true);
        }
        let mut networks = vec![false; topology.networks.len()];
        let clusters = plan.clusters.iter().enumerate().map(|(at, holder)| {
            // Of a cluster that is left out the network alone is known.
            let cluster = topology.clusters.get(at);
            let aks = cluster.is_some_and(|cluster| cluster.distribution == Distribution::Aks);
            let controller = cluster.and_then(|cluster| cluster.load_balancer.as_ref());
            let served = controller.is_some_and(|c| c.value == LoadBalancerController::Tailscale);
            networks[holder.network.index()] |= aks;
            (aks, served || tailnet[holder.network.index()])
        });
        let clusters = clusters.collect();
        let rows = ROWS.map(|(net, meaning, severity, whom, what, help)| {
            let net = net.parse().expect("internal error: a constant prefix");
            Hazard { net, meaning, severity, help, whom, what }
        });
        Self { rows: rows.into(), clusters, networks }
    }

    /// The first hazard that an entry meets.
    pub fn met(&self, entry: &Entry) -> Option<&Hazard> {
        if matches!(entry.used, Use::Reserved | Use::LoadBalancers | Use::Pool) {
            return None;
        }
        let inner = matches!(entry.used, Use::Pods | Use::NetworkPods | Use::Services);
        self.rows.iter().find(|hazard| {
            let range = Range::from(hazard.net);
            let meets = match hazard.what {
                What::All => range.meets(&entry.range),
                What::Inner => inner && range.meets(&entry.range),
                What::PodsAround => entry.used == Use::Pods && entry.range.contains(&range),
            };
            meets && self.concerns(hazard.whom, entry)
        })
    }

    fn concerns(&self, whom: Whom, entry: &Entry) -> bool {
        let (aks, tailscale) = entry.cluster.map_or((false, false), |at| self.clusters[at]);
        match whom {
            Whom::Anybody => true,
            Whom::Aks => match (entry.cluster, entry.network) {
                (None, Some(network)) => self.networks[network.index()],
                _ => aks,
            },
            Whom::Tailscale => tailscale,
        }
    }

    /// What a new cluster should not meet, wherever it runs.
    pub fn avoided(&self) -> impl Iterator<Item = Range> {
        let tailscale = self.uses_tailscale();
        let rows = self.rows.iter().filter(move |hazard| match hazard.whom {
            Whom::Anybody | Whom::Aks => hazard.what != What::PodsAround,
            Whom::Tailscale => tailscale,
        });
        rows.map(|hazard| Range::from(hazard.net))
    }

    /// Whether some cluster has to do with Tailscale.
    pub fn uses_tailscale(&self) -> bool {
        self.clusters.iter().any(|(_, tailscale)| *tailscale)
    }
}
